// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import type { JsonValue } from '../../canonical/json-value.ts';
import { BODY_LIMITS, parseJson } from '../../canonical/parse-json.ts';
import { REPAIRS, type Repair } from '../../policy/body-rules.ts';
import { SchemaSet } from '../../policy/schema-set.ts';
import { type Repaired, repairBody } from './repair-body.ts';

const schemas = new SchemaSet({
  refund: {
    type: 'object',
    additionalProperties: false,
    required: ['amount'],
    properties: {
      amount: { type: 'number' },
      count: { type: 'integer', maximum: 9 },
      paid: { type: 'boolean' },
      note: { type: 'string', maxLength: 5 },
      tags: { type: 'array', items: { type: 'string' } },
      colour: { type: 'integer', enum: [1, 2] },
      'a/b': { type: 'object', properties: { '~c': { type: 'string' } } },
    },
  },
});

function repair(text: string, allowed: readonly Repair[] = REPAIRS): Repaired | undefined {
  const bytes = Buffer.from(text);
  let value: JsonValue | undefined;
  try {
    value = parseJson(bytes, BODY_LIMITS);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  return repairBody({ bytes, value, schemas, schemaId: 'refund', allowed });
}

describe('the one repair of a body', () => {
  it.each([
    ['{"amount":"12.5"}', '{"amount":12.5}', [['/amount', 'text_to_number']]],
    ['{"amount":1.10,"paid":"true"}', '{"amount":1.10,"paid":true}', [['/paid', 'text_to_boolean']]],
    ['{"amount":1,"note":7}', '{"amount":1,"note":"7"}', [['/note', 'number_to_text']]],
    ['{"amount":1,"note":" hi  \\n"}', '{"amount":1,"note":"hi"}', [['/note', 'trim_text']]],
    ['{"amount":1, "tags" : "x" }', '{"amount":1, "tags" : ["x"] }', [['/tags', 'wrap_in_list']]],
    [
      '{"tags":[1,"b",2],"amount":"3"}',
      '{"tags":["1","b","2"],"amount":3}',
      [
        ['/amount', 'text_to_number'],
        ['/tags/0', 'number_to_text'],
        ['/tags/2', 'number_to_text'],
      ],
    ],
    ['{"amount":1,"a\\u002fb":{"~c":false}}', '{"amount":1,"a\\u002fb":{"~c":"false"}}', [['/*/*', 'boolean_to_text']]],
  ])('of values: %s', (text, mended, changes) => {
    const repaired = repair(text);
    expect(Buffer.from(repaired?.bytes ?? '').toString()).toBe(mended);
    expect(repaired?.fact).toMatchObject({
      kind: 'coercion',
      count: changes.length,
      repaired_digest: digestOf(mended),
      repaired_size: Buffer.byteLength(mended),
    });
    expect(repaired?.fact.changes.map(({ path, repair: what }) => [path, what])).toEqual(changes);
    expect(applied(JSON.parse(text) as JsonValue, repaired)).toEqual(JSON.parse(mended));
  });

  it.each([
    ['\ufeff{"amount":1}', '{"amount":1}'],
    ['{"amount":1,"tags":["a,]","b" , ] , }', '{"amount":1,"tags":["a,]","b"  ]  }'],
  ])('of syntax: %s', (text, mended) => {
    const repaired = repair(text);
    expect(Buffer.from(repaired?.bytes ?? '').toString()).toBe(mended);
    expect(repaired?.patch).toEqual([{ op: 'replace', path: '', value: JSON.parse(mended) }]);
    expect(repaired?.fact).toMatchObject({ kind: 'syntax', count: 1 });
  });

  it.each([
    ['a number that would not be the same', '{"amount":"1e3"}'],
    ['a number that a reader could round', '{"amount":"12345678901234567890"}'],
    ['a number with a leading zero', '{"amount":"01"}'],
    ['a number out of range', '{"amount":1,"count":"10"}'],
    ['a fraction for an integer', '{"amount":1,"count":"1.5"}'],
    ['what an enum speaks of', '{"amount":1,"colour":"1"}'],
    ['a name', '{"Amount":1}'],
    ['a member that is missing', '{"paid":"true"}'],
    ['null', '{"amount":null}'],
    ['a body that was cut off', '{"amount":1,"note":"a'],
    ['a value that is missing', '{"amount":1,,"paid":true}'],
    ['two kinds of repair at once', '{"amount":"1",}'],
    ['a comma with nothing before it', '{"amount":1,"tags":[,]}'],
    ['a name that stands twice', '{"amount":"1","amount":2}'],
  ])('does not touch %s', (_, text) => {
    expect(repair(text)).toBeUndefined();
  });

  it('does only what the policy lists', () => {
    for (const [text, needed] of [
      ['{"amount":"1"}', 'text_to_number'],
      ['{"amount":1,}', 'syntax'],
    ] as const) {
      expect(repair(text, [needed])).toBeDefined();
      expect(
        repair(
          text,
          REPAIRS.filter((one) => one !== needed),
        ),
      ).toBeUndefined();
    }
  });
});

/** RFC 6902 §4.3, by plain assignment. */
function applied(document: JsonValue, repaired: Repaired | undefined): JsonValue {
  for (const { path, value } of repaired?.patch ?? []) {
    const steps = path
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    let target = document as Record<string, JsonValue>;
    for (const step of steps.slice(0, -1)) target = target[step] as Record<string, JsonValue>;
    target[steps.at(-1) as string] = value;
  }
  return document;
}
