// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import type avsc from 'avsc';
import { type AvroRecordSchema, avroType } from './avro-schema.ts';
import { layoutCheck } from './block-limits.ts';
import { type FlatRecord, flatRecord } from './flat-record.ts';
import { behindFingerprint, FINGERPRINT_SIZE, fingerprintOf } from './schema-fingerprint.ts';

type Reader = { readonly fingerprint: Buffer; readonly read: (content: Buffer) => unknown };
type Writer = { readonly header: Buffer; readonly type: avsc.Type; readonly flat: FlatRecord | undefined };

export type AvroCodecOptions = {
  /** The current schema of each envelope, by which it is written. */
  readonly schemas: readonly AvroRecordSchema[];
  /** By record name: the registry's id, for foreign readers. An envelope without one is only read. */
  readonly idOf: ReadonlyMap<string, number>;
  /** Schemas of earlier versions whose records are still read. */
  readonly earlier?: readonly AvroRecordSchema[];
};

const ID_SIZE = 4;
const HEADER_SIZE = 1 + ID_SIZE + FINGERPRINT_SIZE;

/**
 * Envelopes in Confluent's wire format: a zero byte, the schema id as 32 bits, then Avro, whose first field is the
 * fingerprint of the schema it was written by. Only the fingerprint decides how a record is read, and only the schemas
 * shipped with this version are known: whether a record is poison depends on its bytes alone, today and in every re-fold.
 */
export class AvroCodec implements EnvelopeCodec {
  readonly #writers = new Map<string, Writer>();
  readonly #readers = new Map<string, readonly Reader[]>();

  constructor({ schemas, idOf, earlier = [] }: AvroCodecOptions) {
    for (const schema of schemas) {
      const type = avroType(behindFingerprint(schema));
      const id = idOf.get(schema.name);
      const flat = flatRecord(behindFingerprint(schema));
      if (id !== undefined) this.#writers.set(schema.name, { header: headerOf(id, schema), type, flat });
      const older = earlier.filter(({ name, namespace }) => name === schema.name && namespace === schema.namespace);
      this.#readers.set(
        schema.name,
        [schema, ...older].map((writer) => readerOf(type, writer)),
      );
    }
  }

  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array {
    const writer = this.#writers.get(name);
    assert(writer !== undefined, `${name} has an id before anything is written`);
    const flat = writer.flat?.write(value, HEADER_SIZE);
    if (flat !== undefined) {
      flat.set(writer.header);
      return flat;
    }
    const content = writer.type.toBuffer(withBuffers(value));
    return Buffer.concat([writer.header, content], HEADER_SIZE + content.length);
  }

  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < HEADER_SIZE || buffer[0] !== 0) throw undecodable(name, 'the header is missing');
    const reader = this.#readers
      .get(name)
      ?.find(({ fingerprint }) => fingerprint.compare(buffer, 1 + ID_SIZE, HEADER_SIZE) === 0);
    if (reader === undefined) throw undecodable(name, 'no schema of this version has their fingerprint');
    try {
      return reader.read(buffer.subarray(HEADER_SIZE)) as Envelopes[Name];
    } catch (cause) {
      throw undecodable(name, (cause as Error).message);
    }
  }
}

function headerOf(id: number, schema: AvroRecordSchema): Buffer {
  const prefix = Buffer.alloc(1 + ID_SIZE);
  prefix.writeUInt32BE(id, 1);
  return Buffer.concat([prefix, fingerprintOf(schema)]);
}

function readerOf(type: avsc.Type, schema: AvroRecordSchema): Reader {
  const writer = avroType(behindFingerprint(schema));
  const resolver = type.createResolver(writer);
  const check = layoutCheck(writer);
  const isCurrent = type.equals(writer);
  const flat = isCurrent ? flatRecord(behindFingerprint(schema)) : undefined;
  return {
    fingerprint: fingerprintOf(schema),
    read: (content) => {
      // What the fast reader does not take is the library's to read or to refuse, so both know the same records.
      const value = flat?.read(content, 0);
      if (value !== undefined) return value;
      check?.(content);
      return isCurrent ? type.fromBuffer(content) : type.fromBuffer(content, resolver);
    },
  };
}

function undecodable(name: string, why: string): ClyraError {
  return new ClyraError('CLY_SCHEMA_UNDECODABLE', `these bytes are no ${name}: ${why}`, {
    retry: 'never',
    context: { name },
  });
}

/** avsc takes bytes only as Buffer; a view costs nothing. */
function withBuffers(value: object): object {
  const copy: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    copy[name] =
      member instanceof Uint8Array && !Buffer.isBuffer(member)
        ? Buffer.from(member.buffer, member.byteOffset, member.byteLength)
        : member;
  }
  return copy;
}
