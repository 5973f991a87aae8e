// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { digestOf } from '@clyra/core/canonical/digest';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { describe, expect, it } from '@jest/globals';
import { AvroCodec } from './avro-codec.ts';
import { type AvroRecordSchema, canRead } from './avro-schema.ts';
import { fixedSchemaIds } from './fixed-schema-ids.ts';

const FOLDER = new URL('../../../../schemas/avro/', import.meta.url);
const schemas = readdirSync(FOLDER).map(
  (name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as AvroRecordSchema,
);
const codec = new AvroCodec(schemas, fixedSchemaIds(schemas));

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
    ['an id nobody knows', Buffer.from([0, 0, 0, 255, 255, 0])],
  ])('refuses %s as undecodable, for good', async (_name, bytes) => {
    const decoding = (async () => codec.decode('ReceiptEnvelope', bytes))();
    await expect(decoding).rejects.toMatchObject({ code: 'CLY_SCHEMA_UNDECODABLE', retry: 'never' });
  });

  it('does not call a record poison while nobody can say what its id means', async () => {
    const ids = {
      idOf: new Map<string, number>(),
      schemaOf: () => Promise.reject(Object.assign(new Error('down'), { retry: 'backoff' })),
    };
    const waiting = new AvroCodec(schemas, ids).decode('ReceiptEnvelope', Buffer.from([0, 0, 0, 0, 9, 1]));
    await expect(waiting).rejects.toMatchObject({ retry: 'backoff' });
  });
});

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

  it('leaves the hashed bytes alone', async () => {
    const changed = schemas.map((schema) =>
      schema.name === 'ReceiptEnvelope'
        ? { ...schema, fields: [...schema.fields, { name: 'added_later', type: 'int', default: 0 }] }
        : schema,
    );
    const ids = fixedSchemaIds(schemas);
    const newerIds = {
      idOf: new Map([['EdgeEnvelope', 1]]),
      schemaOf: () => Promise.resolve(schemas.find((schema) => schema.name === 'ReceiptEnvelope') as AvroRecordSchema),
    };
    const written = codec.encode('ReceiptEnvelope', receipt);
    const back = await new AvroCodec(changed, newerIds).decode('ReceiptEnvelope', written);
    expect(digestOf(back.body)).toBe(digestOf(receipt.body));
    expect(ids.idOf.size).toBe(schemas.length);
  });

  it('without a default would not be compatible', () => {
    const schema = schemas[0] as AvroRecordSchema;
    const broken = { ...schema, fields: [...schema.fields, { name: 'added_later', type: 'int' }] };
    expect(canRead(broken as never, schema as never)).toBe(false);
  });
});
