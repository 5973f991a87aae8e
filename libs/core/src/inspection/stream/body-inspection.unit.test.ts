// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { compilePolicy, lintPolicy } from '../../policy/compile-policy.ts';
import { loadPolicy } from '../../policy/load-policy.ts';
import type { Policy } from '../../policy/policy.ts';
import { SchemaSet } from '../../policy/schema-set.ts';
import { ValidatorSet } from '../validator-set.ts';
import { BodyInspection, type StreamFinding } from './body-inspection.ts';
import { streamPlan } from './stream-plan.ts';

const POLICY = `
name: syncs
schemas:
  contact:
    type: object
    additionalProperties: false
    required: [id]
    properties: { id: { type: integer }, tenant: { type: string }, amount: { type: string }, age: { type: integer } }
  adult: { type: object, properties: { age: { type: integer, minimum: 18 } } }
  envelope: { type: object, additionalProperties: false, properties: { note: { type: string }, records: { type: array } } }
  batch:
    type: object
    additionalProperties: false
    required: [records]
    properties:
      note: { type: string, maxLength: 5 }
      records: { type: array, minItems: 2, maxItems: 3, items: { $ref: '#/$defs/one' } }
    $defs: { one: { type: object, required: [id], properties: { id: { type: integer } } } }
routes:
  - { id: lines, method: POST, path: /lines, upstream: crm, schema: contact, body: { form: ndjson, bytes_max: 104857600, items_max: 1000 } }
  - { id: list, method: POST, path: /list, upstream: crm, schema: contact, body: { form: items, items: /records } }
  - { id: dressed, method: POST, path: /dressed, upstream: crm, schema: contact, body: { form: items, items: /records, envelope: envelope } }
  - { id: whole, method: POST, path: /whole, upstream: crm, schema: batch, body: { items: /records, bytes_max: 5000000 } }
rate_limits:
  - { id: spent, routes: [lines], window_seconds: 60, amount: { value: /amount, currency: EUR }, max_amount: { EUR: '10' } }
tenant_fences: { body_tenant: /tenant }
validators: [{ id: adults, routes: [lines], schema: adult, effect: hold }]
`;

const compiled = compilePolicy(POLICY);
const policy: Policy = loadPolicy(compiled.bytes, compiled.digest).policy;
const schemas = new SchemaSet(policy.schemas);

function inspect(routeId: string, text: string, chunkBytes = 7): StreamFinding {
  const route = policy.routes.find(({ id }) => id === routeId);
  const plan = route?.body && streamPlan(policy, route.schema, route.body);
  if (plan === undefined) throw new Error(`${routeId} is not streamed`);
  const validators = ValidatorSet.of(policy, routeId, schemas);
  const inspection = new BodyInspection({ plan, policy, routeId, ...(validators === undefined ? {} : { validators }) });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) inspection.push(bytes.subarray(at, at + chunkBytes));
  return inspection.end();
}

describe('a streamed body', () => {
  it('counts its lines and adds up what rules count', () => {
    const found = inspect(
      'lines',
      '{"id":1,"amount":"1.10","tenant":"acme"}\n{"id":2,"amount":"2.05","tenant":"acme"}\n',
    );
    expect(found).toMatchObject({
      content: 'ok',
      schema: { id: 'contact', verdict: 'valid', errors: [] },
      items: { form: 'ndjson', count: 2 },
      amounts: [{ rule: 'rate_limits/spent', value: '3.15', currency: 'EUR' }],
      tenants: [{ from: 'body', value: 'acme' }],
      validators: [{ rule: 'adults', verdict: 'valid' }],
    });
  });

  it.each([
    ['lines', '{"id":1}\n{"id":"2"}\n', { verdict: 'invalid', errors: [{ pointer: '/1/id', rule: 'type' }] }],
    [
      'list',
      '{"records":[{"id":1},{"id":2,"x":3}]}',
      { verdict: 'invalid', errors: [{ pointer: '/records/1', rule: 'additionalProperties' }] },
    ],
    ['list', '{"records":[{"id":1}],"more":1}', { verdict: 'invalid', errors: [{ pointer: '', rule: 'envelope' }] }],
    ['dressed', '{"note":"n","records":[{"id":1}]}', { verdict: 'valid', errors: [] }],
    [
      'dressed',
      '{"nope":"n","records":[{"id":1}]}',
      { verdict: 'invalid', errors: [{ pointer: '', rule: 'additionalProperties' }] },
    ],
    ['whole', '{"note":"abc","records":[{"id":1},{"id":2}]}', { verdict: 'valid', errors: [] }],
    [
      'whole',
      '{"note":"abc","records":[{"id":1}]}',
      { verdict: 'invalid', errors: [{ pointer: '/records', rule: 'minItems' }] },
    ],
    [
      'whole',
      `{"records":[${Array(4).fill('{"id":1}').join()}]}`,
      { verdict: 'invalid', errors: [{ pointer: '/records', rule: 'maxItems' }] },
    ],
    [
      'whole',
      '{"note":"too long","records":[{"id":1},{"id":2}]}',
      { verdict: 'invalid', errors: [{ pointer: '/note', rule: 'maxLength' }] },
    ],
    ['whole', '{"note":"abc"}', { verdict: 'invalid', errors: [{ pointer: '/records', rule: 'required' }] }],
    [
      'whole',
      '{"records":[{"id":1},{}]}',
      { verdict: 'invalid', errors: [{ pointer: '/records/1/id', rule: 'required' }] },
    ],
  ])('is judged item by item: %s %s', (route, text, schema) => {
    expect(inspect(route, text)).toMatchObject({ content: 'ok', schema });
    expect(inspect(route, text, 1)).toMatchObject({ content: 'ok', schema });
  });

  it.each([
    ['lines', '', 'CLY_BODY_ITEMS'],
    ['lines', '{"id":1}\n\n{"id":2}\n', 'CLY_JSON_SYNTAX'],
    ['lines', '{"id":1}{"id":2}\n', 'CLY_JSON_TRAILING'],
    ['lines', '{"id":1,"id":2}\n', 'CLY_JSON_DUPLICATE_NAME'],
    ['lines', '\ufeff{"id":1}\n', 'CLY_JSON_SYNTAX'],
    ['lines', `${'{"id":1}\n'.repeat(1_001)}`, 'CLY_JSON_SIZE'],
    ['lines', `{"id":1,"tenant":"${'x'.repeat(1_100_000)}"}`, 'CLY_JSON_SIZE'],
    ['list', '{"records":[]}', 'CLY_BODY_ITEMS'],
    ['list', '{"record":[{"id":1}]}', 'CLY_BODY_ITEMS'],
    ['list', '[{"id":1}]', 'CLY_BODY_ITEMS'],
    ['list', '{"records":[{"id":1},]}', 'CLY_JSON_SYNTAX'],
    ['list', '{"records":[{"id":1} {"id":2}]}', 'CLY_JSON_SYNTAX'],
    ['list', '{"records":[{"id":1}', 'CLY_JSON_SYNTAX'],
    ['list', '{"records":[{"id":1}]}]', 'CLY_JSON_TRAILING'],
    ['list', '{"records":[{"id":1}],"records":[{"id":2}]}', 'CLY_JSON_DUPLICATE_NAME'],
    ['list', `${'['.repeat(100)}`, 'CLY_JSON_DEPTH'],
    ['list', `{"records":[${'['.repeat(40)}${']'.repeat(40)}]}`, 'CLY_JSON_DEPTH'],
  ])('is no acceptable JSON: %s %.60s', (route, text, content) => {
    expect(inspect(route, text, 1_000)).toMatchObject({ content, value: undefined });
  });

  it('shows a foreign name among its items, and calls a sum over two currencies or without an amount unreadable', () => {
    expect(inspect('lines', '{"id":1,"tenant":"acme"}\n{"id":2,"tenant":"evil"}\n')).toMatchObject({
      tenants: [{ value: 'acme' }, { value: 'evil' }],
      amounts: [{ rule: 'rate_limits/spent', value: null, currency: null }],
    });
  });

  it('names the first item that breaks a business rule', () => {
    expect(inspect('lines', '{"id":1,"age":20}\n{"id":2,"age":3}\n').validators).toEqual([
      { rule: 'adults', verdict: 'invalid', errors: [{ pointer: '/1/age', rule: 'minimum' }] },
    ]);
  });

  it.each([
    ['body: { bytes_max: 2000000 }', 'a body over 1048576 bytes is streamed'],
    ['body: { form: items }', 'items is missing'],
    ['body: { form: ndjson, items: /x }', 'a body of lines has no list'],
    ['body: { form: ndjson, repair: [syntax] }', 'only a body that is read whole can be repaired'],
    ['body: { items: /records }, schema: picky', 'uniqueItems cannot be judged item by item'],
    ['body: { items: /other }, schema: picky', 'the schema does not lead to a list there'],
  ])('cannot be asked for by %s', (member, message) => {
    const text = `
name: bad
schemas: { picky: { type: object, properties: { records: { type: array, uniqueItems: true, items: { type: object } } } } }
routes: [{ id: r, method: POST, path: /r, upstream: crm, ${member} }]
`;
    expect(() => compilePolicy(text)).toThrow(message);
  });

  it('makes rules that look for one value in a body of lines a remark', () => {
    const { remarks } = lintPolicy(`
name: odd
schemas: { s: { type: object } }
routes: [{ id: r, method: POST, path: /r, upstream: crm, schema: s, body: { form: ndjson } }]
idempotency: [{ routes: [r] }]
sql_safety: [{ id: q, routes: [r], statement: /sql, dialect: postgres }]
rate_limits: [{ id: l, routes: '*', key: { body: /payee }, window_seconds: 60, max_actions: 3 }]
`);
    expect(remarks.map(({ pointer }) => pointer)).toEqual(['/sql_safety/0', '/rate_limits/0/key']);
  });
});
