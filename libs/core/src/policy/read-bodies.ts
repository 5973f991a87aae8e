// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import { type BodyForm, type BodyRule, REPAIRS, type Repair, type ResponseRule } from './body-rules.ts';
import type { PolicyCursor } from './policy-cursor.ts';

/** What intake reads into memory; larger bodies are streamed, and therefore need a list. */
export const WHOLE_BODY_BYTES_MAX = 1_048_576;
const BYTES_MAX = 1_073_741_824;
const ITEMS_MAX = 100_000_000;
const FORMS: readonly BodyForm[] = ['json', 'ndjson', 'items'];
const LIST_RULE = {
  pattern: /^(?:\/(?:[^~/]|~[01]){1,128}){0,8}$/,
  what: 'a pointer to the list, such as /records; the empty text is the root',
};
const REPAIR_RULE = { pattern: new RegExp(`^(?:${REPAIRS.join('|')})$`), what: REPAIRS.join(', ') };
const ID_WORDS = { pattern: /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/, what: 'the id of a schema' };

/** undefined where the route says nothing: its bodies are one JSON value, or none. */
export function readBodyRule(route: PolicyCursor, schemaIds: ReadonlySet<string>): BodyRule | undefined {
  const body = route.member('body');
  if (body.isAbsent()) return undefined;
  if (!body.objectOf(['form', 'items', 'envelope', 'bytes_max', 'items_max', 'deadline_seconds', 'repair']))
    return undefined;
  const form = body.oneOf('form', FORMS, 'json');
  const items = readList(body, form);
  const whole = form === 'json' && items === null;
  const repair = body.textsOrNone('repair', REPAIR_RULE) as Repair[];
  if (repair.length > 0 && !whole) body.member('repair').report('only a body that is read whole can be repaired');
  const bytesMax = body.integer('bytes_max', { min: 1, max: BYTES_MAX, fallback: WHOLE_BODY_BYTES_MAX });
  if (whole && bytesMax > WHOLE_BODY_BYTES_MAX) {
    body
      .member('bytes_max')
      .report(`a body over ${WHOLE_BODY_BYTES_MAX} bytes is streamed: write where its list stands (items)`);
  }
  const envelope = form === 'items' ? body.textOrNull('envelope', ID_WORDS) : null;
  if (envelope !== null && !schemaIds.has(envelope)) body.member('envelope').report('no schema has this id');
  if (form !== 'items' && !body.member('envelope').isAbsent())
    body.member('envelope').report('only form items has one');
  return {
    form,
    items,
    envelope,
    bytes_max: bytesMax,
    items_max: body.integer('items_max', { min: 1, max: ITEMS_MAX, fallback: 1_000_000 }),
    deadline_seconds: body.integer('deadline_seconds', { min: 1, max: 240, fallback: whole ? 10 : 60 }),
    repair,
  };
}

function readList(rule: PolicyCursor, form: BodyForm): string | null {
  if (form === 'ndjson') {
    if (!rule.member('items').isAbsent()) rule.member('items').report('a body of lines has no list');
    return null;
  }
  const items = rule.textOrNull('items', LIST_RULE);
  if (form === 'items' && items === null)
    rule.report('items is missing: write where the list stands, such as /records');
  return items;
}

export function readResponseRule(route: PolicyCursor, schemaIds: ReadonlySet<string>): ResponseRule | undefined {
  const response = route.member('response');
  if (response.isAbsent()) return undefined;
  if (!response.objectOf(['schema', 'form', 'items', 'bytes_max', 'total_seconds', 'silence_seconds']))
    return undefined;
  const form = response.oneOf('form', FORMS, 'json');
  const items = readList(response, form);
  const whole = form === 'json' && items === null;
  const schema = response.textOrNull('schema', ID_WORDS);
  if (schema !== null && !schemaIds.has(schema)) response.member('schema').report('no schema has this id');
  const most = whole && schema !== null ? WHOLE_BODY_BYTES_MAX : BYTES_MAX;
  return {
    schema,
    form,
    items,
    bytes_max: response.integer('bytes_max', { min: 1, max: most, fallback: WHOLE_BODY_BYTES_MAX }),
    total_seconds: response.integer('total_seconds', { min: 1, max: 3_600, fallback: 45 }),
    silence_seconds: response.integer('silence_seconds', { min: 1, max: 300, fallback: 30 }),
  };
}

/** What a list's own schema may say where the list is emptied: its items and their number are judged apart. */
const LIST_KEYWORDS = new Set(['type', 'items', 'minItems', 'maxItems', 'title', 'description', '$comment']);
const OBJECT_KEYWORDS = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties', 'propertyNames'],
  ...['title', 'description', '$comment', '$schema', '$defs'],
]);

/** The schema of a list inside a schema, or what keeps its items from being judged one by one. */
export function listSchema(root: JsonValue | undefined, items: string): JsonValue | string {
  let schema: JsonValue | undefined = root;
  for (const token of items.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const problem = otherKeyword(schema, OBJECT_KEYWORDS);
    if (problem !== undefined) return problem;
    const properties: JsonValue | undefined = isJsonObject(schema) ? schema['properties'] : undefined;
    schema = isJsonObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  }
  const problem = otherKeyword(schema, new Set([...LIST_KEYWORDS, ...(items === '' ? ['$schema', '$defs'] : [])]));
  if (problem !== undefined) return problem;
  if (!isJsonObject(schema) || schema['type'] !== 'array' || !isJsonObject(schema['items'])) {
    return `the schema has no list with items at ${items === '' ? 'its root' : items}`;
  }
  if (JSON.stringify(schema['items']).includes('"$ref":"#"')) return 'an item cannot refer to the whole document';
  return schema;
}

function otherKeyword(schema: JsonValue | undefined, known: ReadonlySet<string>): string | undefined {
  if (!isJsonObject(schema)) return 'the schema does not lead to a list there';
  const other = Object.keys(schema).find((keyword) => !known.has(keyword));
  return other === undefined
    ? undefined
    : `${other} cannot be judged item by item: leave it out on the way to the list`;
}
