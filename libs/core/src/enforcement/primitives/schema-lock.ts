// SPDX-License-Identifier: Apache-2.0
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** The body must be what it says it is and what the route's JSON Schema asks for; inspection has read it. */
export const schemaLock: Primitive = {
  name: 'schemas',
  evaluate(context) {
    const reason = whatIsWrong(context);
    const { repair } = context.facts;
    const fields = repair === undefined ? {} : { fields: { repair } };
    if (reason === undefined) return repair === undefined ? NOTHING : { reasons: [], ...fields };
    return { reasons: [reason], ...fields };
  },
};

function whatIsWrong({ facts, route }: RequestContext): ReasonDraft | undefined {
  if (facts.content !== 'ok') {
    return facts.content.startsWith('CLY_ROUTE_') ? undefined : block('schemas', facts.content);
  }
  if (route === undefined) return undefined;
  // An inspector that does not know the route's form has not looked at its items.
  const isStreamed = route.body !== undefined && (route.body.form !== 'json' || route.body.items !== null);
  if (isStreamed && facts.items === undefined) return block('schemas', 'CLY_SCHEMA_NOT_CHECKED');
  if (facts.schema.id !== route.schema) return block('schemas', 'CLY_SCHEMA_OTHER');
  if (route.schema === null || facts.schema.verdict === 'valid') return undefined;
  const first = facts.schema.errors[0];
  if (facts.schema.verdict !== 'invalid') return block('schemas', 'CLY_SCHEMA_NOT_CHECKED');
  return block(
    'schemas',
    'CLY_SCHEMA_INVALID',
    first === undefined ? undefined : `${first.pointer || '/'}: ${first.rule}`,
  );
}
