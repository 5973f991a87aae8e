// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../../canonical/json-value.ts';
import type { BodyRule, ResponseRule } from '../../policy/body-rules.ts';
import type { Policy } from '../../policy/policy.ts';
import { listSchema } from '../../policy/read-bodies.ts';
import { type SchemaFinding, SchemaSet } from '../../policy/schema-set.ts';
import type { ItemSplitter, SplitLimits } from './item-splitter.ts';
import { LineSplitter } from './line-splitter.ts';
import { ListSplitter } from './list-splitter.ts';

export const ITEM_BYTES_MAX = 1_048_576;
export const AROUND_BYTES_MAX = 1_048_576;

type Rule = Pick<BodyRule, 'form' | 'items' | 'bytes_max'> & Partial<Pick<BodyRule, 'envelope' | 'items_max'>>;

/** How a body that is never whole in memory is cut, and what its pieces must fit. */
export type StreamPlan = {
  readonly form: Rule['form'];
  /** Names from the root to the list; empty for the root and for lines. */
  readonly path: readonly string[];
  readonly schemaId: string | null;
  readonly bytesMax: number;
  splitter(): ItemSplitter;
  checkItem(item: JsonValue): readonly SchemaFinding[];
  checkAround(around: JsonValue | undefined, itemCount: number): readonly SchemaFinding[];
};

/** undefined for a body that is read whole. `schemaId`: what the whole value (`json`) or each item must fit, or null. */
export function streamPlan(policy: Policy, schemaId: string | null, rule: Rule | ResponseRule): StreamPlan | undefined {
  if (rule.form === 'json' && rule.items === null) return undefined;
  const pointer = rule.items ?? '';
  const path = pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
  const limits: SplitLimits = {
    itemBytesMax: ITEM_BYTES_MAX,
    aroundBytesMax: AROUND_BYTES_MAX,
    itemsMax: ('items_max' in rule ? rule.items_max : undefined) ?? Number.MAX_SAFE_INTEGER,
  };
  const envelope = 'envelope' in rule ? (rule.envelope ?? null) : null;
  return {
    form: rule.form,
    path,
    schemaId,
    bytesMax: rule.bytes_max,
    splitter: () => (rule.form === 'ndjson' ? new LineSplitter(limits) : new ListSplitter(path, limits)),
    ...checksOf(policy, { form: rule.form, pointer, path, schemaId, envelope }),
  };
}

type Asked = {
  readonly form: Rule['form'];
  readonly pointer: string;
  readonly path: readonly string[];
  readonly schemaId: string | null;
  readonly envelope: string | null;
};
type Checks = Pick<StreamPlan, 'checkItem' | 'checkAround'>;

function checksOf(policy: Policy, asked: Asked): Checks {
  const { form, pointer, path, schemaId } = asked;
  const schema = schemaId === null ? undefined : policy.schemas[schemaId];
  if (schema === undefined) return { checkItem: () => [], checkAround: () => [] };
  if (form !== 'json') {
    const set = new SchemaSet({ item: schema, ...envelopeOf(policy, asked.envelope) });
    return {
      checkItem: (item) => set.check('item', item, false),
      checkAround: (around) => {
        if (form === 'ndjson') return [];
        if (asked.envelope !== null) return set.check('envelope', around ?? null, true);
        return isBare(around, path) ? [] : [{ pointer: '', rule: 'envelope' }];
      },
    };
  }
  const list = listSchema(schema, pointer) as JsonObject;
  const defs = schema['$defs'] === undefined ? {} : { $defs: schema['$defs'] };
  const set = new SchemaSet({
    item: { ...(list['items'] as JsonObject), ...defs },
    around: withEmptyList(schema, path),
  });
  return {
    checkItem: (item) => set.check('item', item, false),
    checkAround: (around, count) => [
      ...(around === undefined ? [] : set.check('around', around, true)),
      ...countFindings(list, { pointer, count, around, path }),
    ],
  };
}

function envelopeOf(policy: Policy, id: string | null): Record<string, JsonObject> {
  const schema = id === null ? undefined : policy.schemas[id];
  return schema === undefined ? {} : { envelope: schema };
}

/** Whether there is nothing but the list and the objects that lead to it. */
function isBare(around: JsonValue | undefined, path: readonly string[]): boolean {
  let value = around;
  for (const name of path) {
    if (!isJsonObject(value) || Object.keys(value).length !== 1) return false;
    value = value[name];
  }
  return Array.isArray(value);
}

/** The schema in which the list has no items: how many there are is judged apart. */
function withEmptyList(schema: JsonObject, path: readonly string[]): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) {
    const { minItems: _least, maxItems: _most, ...others } = schema;
    return { ...others, items: true };
  }
  const properties = schema['properties'] as JsonObject;
  return { ...schema, properties: { ...properties, [name]: withEmptyList(properties[name] as JsonObject, rest) } };
}

type Counted = {
  readonly pointer: string;
  readonly count: number;
  readonly around: JsonValue | undefined;
  readonly path: readonly string[];
};

function countFindings(list: JsonObject, { pointer, count, around, path }: Counted): SchemaFinding[] {
  let value = around;
  for (const name of path) value = isJsonObject(value) ? value[name] : undefined;
  // A list that is not there is the schema's own business: `required` says whether it must be.
  if (!Array.isArray(value)) return [];
  const [least, most] = [list['minItems'], list['maxItems']];
  if (typeof least === 'number' && count < least) return [{ pointer, rule: 'minItems' }];
  return typeof most === 'number' && count > most ? [{ pointer, rule: 'maxItems' }] : [];
}
