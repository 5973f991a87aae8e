// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { digestOf } from '../canonical/digest.ts';
import type { Facts, SchemaFact } from '../change/change-body.ts';
import type { Route } from '../policy/policy.ts';
import {
  type BodyFinding,
  type BodyHeaders,
  checkBody,
  frameFault,
  hasMediaType,
  type ReceivedBody,
} from './check-body.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { type Repaired, repairBody } from './repair/repair-body.ts';
import type { StreamFinding } from './stream/body-inspection.ts';
import { ValidatorSet } from './validator-set.ts';

export type ContentSource = {
  readonly body: ReceivedBody;
  readonly headers: BodyHeaders;
  readonly route: Route | undefined;
  readonly policy: PolicyInForce;
  /** What was found while the body streamed in; absent where it is whole. */
  readonly streamed?: StreamFinding;
};

export type Content = {
  readonly finding: BodyFinding;
  readonly schema: SchemaFact;
  readonly facts: Pick<Facts, 'items' | 'repair' | 'validators'>;
  /** What is forwarded instead of the received bytes. */
  readonly repaired?: Repaired;
};

/** Bodies up to this size have all their schema faults listed, larger ones only the first. */
const LIST_ALL_BYTES_MAX = 65_536;

/** What the body is and whether it fits its route: strict reading, schema, at most one repair, business rules. */
export function readContent(source: ContentSource): Content {
  const { route, streamed } = source;
  if (streamed !== undefined && route !== undefined) return streamedContent(source, route, streamed);
  const finding = checkBody(source.body, source.headers, route !== undefined && route.schema !== null);
  const schema = checkSchema(source, finding);
  if (route?.body === undefined && source.policy.policy.validators === undefined) return { finding, schema, facts: {} };
  return wholeContent(source, { finding, schema });
}

type Found = { readonly finding: BodyFinding; readonly schema: SchemaFact };

function wholeContent(source: ContentSource, found: Found): Content {
  const { body, route, policy } = source;
  const isOver = route?.body !== undefined && body.size > route.body.bytes_max;
  if (isOver) return { ...notChecked(found, 'CLY_BODY_TOO_LARGE'), facts: {} };
  const repaired = repairOf(source, found);
  const value = repaired?.value ?? found.finding.value;
  const validators = route === undefined ? undefined : ValidatorSet.of(policy.policy, route.id, policy.schemas);
  if (value !== undefined) validators?.look(value, '');
  const { finding, schema } =
    repaired === undefined
      ? found
      : {
          finding: { content: 'ok', value: repaired.value, canonicalDigest: digestOf(canonicalJson(repaired.value)) },
          schema: { id: found.schema.id, verdict: 'valid', errors: [] } satisfies SchemaFact,
        };
  return {
    finding,
    schema: repaired === undefined || found.schema.id !== null ? schema : found.schema,
    facts: {
      ...(repaired === undefined ? {} : { repair: repaired.fact }),
      ...(validators === undefined ? {} : { validators: validators.facts(value !== undefined) }),
    },
    ...(repaired === undefined ? {} : { repaired }),
  };
}

/** Only bytes that are whole and those that the caller signed may be repaired. */
function repairOf({ body, headers, route, policy }: ContentSource, { finding, schema }: Found): Repaired | undefined {
  const allowed = route?.body?.repair ?? [];
  const isBroken = finding.content === 'CLY_JSON_SYNTAX' || (finding.content === 'ok' && schema.verdict === 'invalid');
  if (allowed.length === 0 || !isBroken || frameFault(body, headers) !== undefined) return undefined;
  return repairBody({
    bytes: body.bytes,
    value: finding.value,
    schemas: policy.schemas,
    schemaId: route?.schema ?? null,
    allowed,
  });
}

function streamedContent({ body, headers }: ContentSource, route: Route, streamed: StreamFinding): Content {
  const form = streamed.items.form;
  const media = hasMediaType(headers.contentType, form) ? undefined : 'CLY_BODY_MEDIA_TYPE';
  const content = frameFault(body, headers) ?? media ?? streamed.content;
  const facts = {
    items: streamed.items,
    ...(streamed.validators.length === 0 ? {} : { validators: streamed.validators }),
  };
  const found: Found = {
    finding: { content, value: content === 'ok' ? streamed.value : undefined, canonicalDigest: null },
    schema: { ...streamed.schema, id: route.schema },
  };
  return content === 'ok' ? { ...found, facts } : { ...notChecked(found, content), facts };
}

function notChecked({ schema }: Found, content: string): Found {
  const { id } = schema;
  return {
    finding: { content, value: undefined, canonicalDigest: null },
    schema: { id, verdict: id === null ? 'not_required' : 'not_checked', errors: [] },
  };
}

function checkSchema({ route, policy, body }: ContentSource, finding: BodyFinding): SchemaFact {
  const id = route?.schema ?? null;
  if (id === null) return { id, verdict: 'not_required', errors: [] };
  if (finding.content !== 'ok' || finding.value === undefined) return { id, verdict: 'not_checked', errors: [] };
  const errors = policy.schemas.check(id, finding.value, body.size <= LIST_ALL_BYTES_MAX);
  return { id, verdict: errors.length === 0 ? 'valid' : 'invalid', errors };
}
