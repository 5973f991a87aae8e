// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type AvroRecordSchema, avroType } from './avro-schema.ts';
import { flatRecord } from './flat-record.ts';
import { behindFingerprint } from './schema-fingerprint.ts';

const FOLDER = new URL('../../../../schemas/avro/', import.meta.url);
const schemas = readdirSync(FOLDER).map((name) =>
  behindFingerprint(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as AvroRecordSchema),
);

const bytes = fc.uint8Array({ maxLength: 300 }).map((list) => Buffer.from(list));
const MEMBERS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bytes,
  string: fc.string({ unit: 'grapheme', maxLength: 90 }),
  int: fc.integer({ min: -(2 ** 31) + 1 }),
  long: fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
  'null,bytes': fc.oneof(fc.constant(null), bytes),
};

function valuesOf({ fields }: AvroRecordSchema): fc.Arbitrary<Record<string, unknown>> {
  const members = fields.map(({ name, type }) => [name, MEMBERS[String(type)] as fc.Arbitrary<unknown>]);
  return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>);
}

describe.each(schemas.map((schema) => [schema.name, schema] as const))('the flat form of %s', (_name, schema) => {
  const flat = flatRecord(schema);
  const type = avroType(schema);

  it('writes the bytes that the library writes, and reads them as it does', () => {
    expect(flat).toBeDefined();
    fc.assert(
      fc.property(valuesOf(schema), (value) => {
        const theirs = type.toBuffer(value);
        const ours = flat?.write(value, 5)?.subarray(5);
        expect(ours?.equals(theirs)).toBe(true);
        expect(flat?.read(theirs, 0)).toEqual({ ...type.fromBuffer(theirs) });
      }),
    );
  });

  it('reads nothing that the library refuses, and nothing otherwise', () => {
    fc.assert(
      fc.property(valuesOf(schema), fc.nat(), fc.integer({ min: 1, max: 255 }), (value, place, flip) => {
        const damaged = type.toBuffer(value);
        const at = place % damaged.length;
        damaged[at] = (damaged[at] as number) ^ flip;
        const ours = flat?.read(damaged, 0);
        if (ours !== undefined) expect(ours).toEqual({ ...type.fromBuffer(damaged) });
        expect(flat?.read(damaged.subarray(0, at), 0)).toBeUndefined();
      }),
    );
  });
});

describe('a schema with more than plain fields', () => {
  it('is left to the library', () => {
    const list = { name: 'list', type: { type: 'array', items: 'string' } };
    expect(flatRecord({ ...(schemas[0] as AvroRecordSchema), fields: [list] })).toBeUndefined();
  });
});

it('leaves numbers that would lose digits to the library', () => {
  const schema = schemas.find(({ name }) => name === 'ReceiptEnvelope') as AvroRecordSchema;
  const [sample] = fc.sample(valuesOf(schema), 1);
  for (const offset of [2 ** 52, 0.5, Number.NaN]) {
    expect(flatRecord(schema)?.write({ ...sample, offset }, 0)).toBeUndefined();
  }
});
