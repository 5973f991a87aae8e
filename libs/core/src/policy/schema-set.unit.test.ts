// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { BODY_LIMITS, parseJson } from '../canonical/parse-json.ts';
import { SchemaSet } from './schema-set.ts';

const value = (text: string) => parseJson(Buffer.from(text), BODY_LIMITS);

const SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['amount'],
  properties: {
    amount: { type: 'integer', minimum: 1 },
    note: { type: 'string', maxLength: 3 },
    tags: { type: 'array', uniqueItems: true, items: { type: ['object', 'string'] } },
    kind: { enum: ['a', { deep: [1] }] },
    only: { const: { x: 1 } },
    map: { type: 'object', additionalProperties: { type: 'integer' } },
  },
} as const;

describe('SchemaSet', () => {
  const schemas = new SchemaSet({ s: SCHEMA as never });
  const check = (text: string, listAll = true) => schemas.check('s', value(text), listAll);

  it('finds a valid value valid', () => {
    expect(check('{"amount":1,"tags":[{"a":1},"b"],"kind":{"deep":[1]},"only":{"x":1},"map":{"k":2}}')).toEqual([]);
  });

  it('lists up to eight findings by place and rule, or the first', () => {
    const found = check('{"note":"long","kind":"b","extra":1}');
    expect(found).toEqual(
      expect.arrayContaining([
        { pointer: '/amount', rule: 'required' },
        { pointer: '/note', rule: 'maxLength' },
        { pointer: '/kind', rule: 'enum' },
        { pointer: '', rule: 'additionalProperties' },
      ]),
    );
    expect(check('{"note":"long","kind":"b"}', false)).toHaveLength(1);
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'no']));
    expect(check(JSON.stringify({ amount: 1, map: many })).length).toBeLessThanOrEqual(8);
  });

  it('names no member that the schema does not declare, and no value', () => {
    const found = check('{"amount":1,"map":{"jane.doe@example.com":"secret"}}');
    expect(found).toEqual([{ pointer: '/map/*', rule: 'type' }]);
  });

  it.each(['valueOf', 'toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'compares whole values that have a member %s',
    (name) => {
      const item = `{"${name}":1}`;
      expect(check(`{"amount":1,"tags":[${item},${item}]}`)).toEqual([{ pointer: '/tags', rule: 'uniqueItems' }]);
      expect(check(`{"amount":1,"kind":${item},"only":${item}}`).map(({ rule }) => rule)).toEqual(['enum', 'const']);
    },
  );

  it('checks the uniqueness of many items in little time', () => {
    const items = Array.from({ length: 50_000 }, (_, index) => `{"i":${index}}`).join();
    const startMs = performance.now();
    expect(check(`{"amount":1,"tags":[${items}]}`)).toEqual([]);
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });
});
