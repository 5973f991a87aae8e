// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import { type Facts, INSPECTOR } from '../change/change-body.ts';
import type { PackShelf } from '../detectors/pack-shelf.ts';
import type { PromptMemory } from '../detectors/prompt-delta.ts';
import type { AdapterKind } from '../policy/adapters.ts';
import { appliesTo, type Policy, type RateLimitRule, type Route } from '../policy/policy.ts';
import type { SqlParsers } from '../sql/analyse-sql.ts';
import { amountFacts } from './amount-facts.ts';
import { type BodyFacts, bodyFacts, type CallLog } from './body-facts.ts';
import { changeSetFact } from './change-set.ts';
import { type BodyFinding, mediaType, type ReceivedBody } from './check-body.ts';
import { dbtFacts } from './dbt-results.ts';
import { detectorFacts } from './detector-facts.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { valueAt } from './json-pointer.ts';
import type { PolicyInForce } from './policy-in-force.ts';
import { readContent } from './read-content.ts';
import type { Repaired } from './repair/repair-body.ts';
import { missingHeaders, requestClaims } from './request-claims.ts';
import type { HmacKey } from './request-signature.ts';
import { parseTarget } from './request-target.ts';
import { sqlFacts } from './sql-facts.ts';
import type { StreamFinding } from './stream/body-inspection.ts';

/** One authenticated request. Secrets and randomness are arguments; nothing here asks for the time. */
export type InspectionInput = {
  readonly method: string;
  readonly target: string;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** Every `idempotency-key` header as sent. */
  readonly idempotencyKeys: readonly string[];
  readonly claimedDigest: Digest | null;
  readonly body: ReceivedBody;
  readonly credential: {
    readonly id: string;
    readonly tenant: string;
    readonly actors: readonly string[];
    /** A registered partner, such as a telephony gateway: its word about a conversation counts more. */
    readonly isPartner?: boolean;
  };
  /** A header by its name in lower case; only those that the policy requires are asked for. */
  readonly headers?: (name: string) => readonly string[];
  /** Who acts, as the headers say. */
  readonly tenant: string;
  readonly actor: string;
  /** What the headers name, where that is not the two above: null for a header that is not there. */
  readonly claimed?: { readonly tenant: string | null; readonly actor: string | null };
  /** Partners' call logs; absent where there are none. */
  readonly calls?: CallLog;
  /** Present where a vendor delivered it; `fault` is the code of what is wrong with the delivery as a whole. */
  readonly delivery?: { readonly kind: AdapterKind; readonly fault: string | null };
  readonly nonce: string;
  /** Secret per tenant, at least 32 bytes: fingerprints of small bodies cannot be guessed without it. */
  readonly fingerprintKey: HmacKey;
  readonly executionToken: string;
  readonly policy: PolicyInForce;
  /** Absent where none are loaded: what a policy asks them is then not answered, and the decision refuses. */
  readonly analysers?: Analysers;
  readonly previousPrompt?: PromptMemory | null;
  /** What was found while a body streamed in that is not whole in memory. */
  readonly streamed?: StreamFinding;
};

/** What looks into the payload beyond its schema. */
export type Analysers = { readonly sql: SqlParsers; readonly packs: PackShelf };

export type Inspection = {
  readonly facts: Facts;
  readonly route: Route | null;
  /** To be kept, in memory, for the next prompt of the same run; absent where no detector was asked. */
  readonly promptMemory?: PromptMemory;
  /** What is forwarded instead of the body, if the policy lets it be repaired and that helped. */
  readonly repaired?: Repaired;
};

function dbtResults(policy: Policy, routeId: string, body: JsonValue | undefined): Pick<Facts, 'dbt_test_results'> {
  const results = dbtFacts(policy, routeId, body);
  return results.length === 0 ? {} : { dbt_test_results: results };
}

/** Turns a request into facts (docs/spec/records.md §4.1). Pure; nothing of the payload is in the result. */
export function inspectRequest(input: InspectionInput): Inspection {
  const { policy, body, credential } = input;
  const rules = policy.policy;
  const target = parseTarget(input.target);
  const route = target === undefined ? undefined : policy.routes.match(input.method, target.path);
  const { streamed } = input;
  const read = readContent({ body, headers: input, route, policy, ...(streamed === undefined ? {} : { streamed }) });
  const { finding } = read;
  const missing = missingHeaders(rules.tenant_fences, input.headers);
  const idempotencyKey = parseIdempotencyKey(input.idempotencyKeys);
  const content = firstFault([
    target === undefined ? 'CLY_ROUTE_TARGET' : 'ok',
    deliveryFault(input, route),
    namingFault(input, missing),
    finding.content,
    idempotencyKey === 'invalid' ? 'CLY_IDEMPOTENCY_SYNTAX' : 'ok',
  ]);
  const amounts = streamed?.amounts ?? (route === undefined ? [] : amountFacts(rules, route.id, finding.value));
  const claims = requestClaims(input, finding.value, streamed);
  const looked = route === undefined ? {} : lookInto(input, route, finding.value);
  const facts: Facts = {
    route: route?.id ?? null,
    method: input.method,
    target_digest: digestOf(input.target),
    principal: credential.id,
    tenants: claims.tenants,
    actors: claims.actors,
    nonce_digest: digestOf(`${credential.id}\n${input.nonce}`),
    content,
    payload_digest: body.digest,
    payload_size: body.size,
    canonical_digest: finding.canonicalDigest,
    schema: read.schema,
    idempotency:
      route === undefined || typeof idempotencyKey === 'string'
        ? null
        : idempotencyFacts(input, { routeId: route.id, key: idempotencyKey.key, finding }),
    velocity: route === undefined ? [] : velocityFacts(input, route, finding.value),
    ...(amounts.length === 0 ? {} : { amounts }),
    ...(missing.length === 0 ? {} : { headers_missing: missing }),
    ...(route === undefined ? {} : askedOfBody(input, route, finding.value)),
    execution_token_hash: digestOf(input.executionToken),
    inspected_under: { policy_digest: policy.digest, inspector: INSPECTOR },
    ...looked.facts,
    ...read.facts,
    ...(route === undefined ? {} : dbtResults(rules, route.id, finding.value)),
    ...(route === undefined ? {} : changeSetFact(route, finding.value, input.executionToken)),
  };
  const memory = looked.promptMemory;
  return {
    facts,
    route: route ?? null,
    ...(memory === undefined ? {} : { promptMemory: memory }),
    ...(read.repaired === undefined ? {} : { repaired: read.repaired }),
  };
}

/** A policy that stopped asking for a header while its request was on the way must not let it through without. */
function namingFault({ claimed, delivery }: InspectionInput, missing: readonly string[]): string {
  const isNamed =
    claimed === undefined || delivery !== undefined || (claimed.tenant !== null && claimed.actor !== null);
  return isNamed || missing.length > 0 ? 'ok' : 'CLY_AUTH_MALFORMED';
}

/**
 * A route with an adapter takes that vendor's deliveries only, and no other route takes any. Vendors repeat what they
 * are not sure of: without a rule that knows the repetition it would have a second effect.
 */
function deliveryFault({ policy, delivery }: InspectionInput, route: Route | undefined): string {
  if (route === undefined) return 'ok';
  if (route.adapter !== delivery?.kind) return 'CLY_ACTIVATION_ROUTE';
  if (delivery === undefined) return 'ok';
  const isGuarded = policy.policy.idempotency.some((rule) => rule.required && appliesTo(rule, route.id));
  return isGuarded ? (delivery.fault ?? 'ok') : 'CLY_ACTIVATION_IDEMPOTENCY';
}

/** What voice, deploy and SQL rules ask a body for. */
function askedOfBody(
  { policy, credential, calls }: InspectionInput,
  route: Route,
  body: JsonValue | undefined,
): BodyFacts {
  const isPartner = credential.isPartner === true;
  const logs = calls === undefined ? {} : { calls };
  return bodyFacts({ policy: policy.policy, routeId: route.id, body, isPartner, ...logs });
}

type Looked = { readonly facts?: Pick<Facts, 'sql' | 'detectors'>; readonly promptMemory?: PromptMemory };

function lookInto(input: InspectionInput, route: Route, value: JsonValue | undefined): Looked {
  const { analysers, policy, body } = input;
  if (analysers === undefined) return {};
  const asked = { policy: policy.policy, routeId: route.id, value };
  const sql = sqlFacts(asked, analysers.sql);
  const previousPrompt = input.previousPrompt ?? null;
  const found =
    input.streamed === undefined
      ? detectorFacts({ ...asked, body, key: input.fingerprintKey, previousPrompt }, analysers.packs)
      : input.streamed.detection?.answer(input.fingerprintKey, previousPrompt);
  return {
    facts: { ...(sql.length === 0 ? {} : { sql }), ...(found === undefined ? {} : { detectors: found.facts }) },
    ...(found === undefined ? {} : { promptMemory: found.memory }),
  };
}

function firstFault(contents: readonly string[]): string {
  return contents.find((content) => content !== 'ok') ?? 'ok';
}

type KeyUse = { readonly routeId: string; readonly key: string; readonly finding: BodyFinding };

/**
 * The key counts within tenant, actor, method and route, so a guessed key reads nobody else's answer. The
 * fingerprint tells a repetition from another request under the same key, also when white space has moved.
 */
function idempotencyFacts(input: InspectionInput, use: KeyUse): { key_digest: Digest; fingerprint: Digest } {
  const scope = `${input.credential.tenant}\n${input.actor}\n${input.method}\n${use.routeId}\n${use.key}`;
  const payload = use.finding.canonicalDigest ?? input.body.digest;
  const sameness = `${payload}\n${input.method}\n${use.routeId}\n${mediaType(input.contentType)}`;
  return {
    key_digest: digestOf(scope),
    fingerprint: createHmac('sha256', input.fingerprintKey).update(sameness, 'utf8').digest('hex'),
  };
}

function velocityFacts(input: InspectionInput, route: Route, body: JsonValue | undefined): Facts['velocity'] {
  const rules = input.policy.policy.rate_limits.filter((rule) => appliesTo(rule, route.id));
  return rules.flatMap((rule) => {
    const counted = countedValue(input, rule, { route, body });
    return counted === undefined ? [] : [{ rule: rule.id, key_digest: counted }];
  });
}

/** undefined where the body lacks what is counted: the enforcer blocks then, so leaving it out evades nothing. */
function countedValue(
  input: InspectionInput,
  rule: RateLimitRule,
  request: { readonly route: Route; readonly body: JsonValue | undefined },
): Digest | undefined {
  const prefix = `${input.credential.tenant}\n${rule.id}`;
  if (typeof rule.key === 'object') {
    const value = valueAt(request.body, rule.key.body);
    if (value === undefined) return undefined;
    // Keyed, since account numbers and the like are few enough to be guessed from a plain hash.
    return createHmac('sha256', input.fingerprintKey)
      .update(`${prefix}\nbody\n${canonicalJson(value)}`, 'utf8')
      .digest('hex');
  }
  const values = { actor: input.actor, tenant: input.credential.tenant, route: request.route.id };
  return digestOf(`${prefix}\n${rule.key}\n${values[rule.key]}`);
}
