// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { digestOf } from '@clyra/core/canonical/digest';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { describe, expect, it } from '@jest/globals';
import { AvroCodec } from './avro-codec.ts';
import { type AvroRecordSchema, avroType, canRead } from './avro-schema.ts';
import { fixedSchemaIds } from './fixed-schema-ids.ts';

const FOLDER = new URL('../../../../schemas/avro/', import.meta.url);
const schemas = readdirSync(FOLDER).map(
  (name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as AvroRecordSchema,
);
const codec = new AvroCodec({ schemas, idOf: fixedSchemaIds(schemas) });

const receipt: Envelopes['ReceiptEnvelope'] = {
  body: Buffer.from('{"v":0}'),
  signature: null,
  chain: Buffer.alloc(32, 7),
  tenant: 'acme',
  kind: 'recorded',
  event_id: 'e',
  offset: 2 ** 40,
};

describe('the Avro codec', () => {
  it('gives back what it wrote, bytes for bytes', () => {
    const back = codec.decode(
      'ReceiptEnvelope',
      codec.encode('ReceiptEnvelope', receipt),
    ) as Envelopes['ReceiptEnvelope'];
    expect({ ...back }).toEqual(receipt);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no magic byte', Buffer.from([1, 0, 0, 0, 1, 0])],
    ['a cut-off record', codec.encode('ReceiptEnvelope', receipt).subarray(0, 12)],
    ['bytes after the record', Buffer.concat([codec.encode('ReceiptEnvelope', receipt), Buffer.from([0])])],
    ['another record', codec.encode('EdgeEnvelope', { body: Buffer.from('x') })],
    ['no fingerprint', Buffer.from([0, 0, 0, 0, 1, 0])],
    ['a fingerprint that no shipped schema has', withFingerprint(codec.encode('ReceiptEnvelope', receipt), 0xff)],
  ])('refuses %s as undecodable, for good', (_name, bytes) => {
    expect(() => codec.decode('ReceiptEnvelope', bytes)).toThrow(
      expect.objectContaining({ code: 'CLY_SCHEMA_UNDECODABLE', retry: 'never' }),
    );
  });

  it('asks nothing but the bytes: a registry that gave other ids changes no answer', () => {
    const idOf = new Map(schemas.map(({ name }, index) => [name, 1_000 - index]));
    const elsewhere = new AvroCodec({ schemas, idOf });
    const bytes = codec.encode('ReceiptEnvelope', receipt);
    expect({ ...elsewhere.decode('ReceiptEnvelope', bytes) }).toEqual(receipt);
    const other = codec.encode('EdgeEnvelope', { body: Buffer.from('x') });
    const disguised = Buffer.concat([bytes.subarray(0, 5), other.subarray(5)]);
    expect(() => codec.decode('ReceiptEnvelope', disguised)).toThrow(
      expect.objectContaining({ code: 'CLY_SCHEMA_UNDECODABLE' }),
    );
  });

  it('writes the registry id and then the schema’s fingerprint, as a foreign reader expects them', () => {
    const bytes = Buffer.from(codec.encode('EdgeEnvelope', { body: Buffer.from('x') }));
    const edge = schemas.find(({ name }) => name === 'EdgeEnvelope') as AvroRecordSchema;
    expect(bytes.readUInt32BE(1)).toBe(fixedSchemaIds(schemas).get('EdgeEnvelope'));
    const foreign = avroType(edge).fromBuffer(bytes.subarray(5)) as Record<string, Buffer>;
    const canonical =
      '{"name":"dev.clyra.EdgeEnvelope","type":"record","fields":[{"name":"schema_fingerprint","type":{"name":' +
      '"dev.clyra.SchemaFingerprint","type":"fixed","size":8}},{"name":"body","type":"bytes"}]}';
    expect(foreign['schema_fingerprint']?.toString('hex')).toBe(digestOf(canonical).slice(0, 16));
    expect(foreign['body']?.toString()).toBe('x');
  });
});

function withFingerprint(bytes: Uint8Array, byte: number): Buffer {
  return Buffer.from(bytes).fill(byte, 5, 13);
}

describe('an added default', () => {
  it.each(schemas.map((schema) => [schema.name, schema] as const))(
    'changes no hash of %s, in either direction',
    (_name, schema) => {
      const added = { name: 'added_later', type: 'string', default: 'x' };
      const newer = { ...schema, fields: [...schema.fields, added] };
      expect(canRead(newer as never, schema as never)).toBe(true);
      expect(canRead(schema as never, newer as never)).toBe(true);
    },
  );

  it('leaves the hashed bytes alone, and a version that does not ship it takes no guess', () => {
    const changed = schemas.map((schema) =>
      schema.name === 'ReceiptEnvelope'
        ? { ...schema, fields: [...schema.fields, { name: 'added_later', type: 'int', default: 0 }] }
        : schema,
    );
    const written = codec.encode('ReceiptEnvelope', receipt);
    const newer = new AvroCodec({ schemas: changed, idOf: fixedSchemaIds(changed), earlier: schemas });
    const back = newer.decode('ReceiptEnvelope', written);
    expect(digestOf(back.body)).toBe(digestOf(receipt.body));
    expect(back).toMatchObject({ added_later: 0 });
    expect(() => codec.decode('ReceiptEnvelope', newer.encode('ReceiptEnvelope', back))).toThrow(
      expect.objectContaining({ code: 'CLY_SCHEMA_UNDECODABLE' }),
    );
  });

  it('without a default would not be compatible', () => {
    const schema = schemas[0] as AvroRecordSchema;
    const broken = { ...schema, fields: [...schema.fields, { name: 'added_later', type: 'int' }] };
    expect(canRead(broken as never, schema as never)).toBe(false);
  });
});
