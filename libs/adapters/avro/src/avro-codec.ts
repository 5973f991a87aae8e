// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import type avsc from 'avsc';
import { type AvroRecordSchema, avroType } from './avro-schema.ts';
import { layoutCheck } from './block-limits.ts';
import type { SchemaIds } from './schema-ids.ts';

type Reader = (bytes: Buffer) => unknown;

const HEADER_SIZE = 5;
const UNKNOWN_IDS_MAX = 1_024;

/**
 * Envelopes in Confluent's wire format: a zero byte, the schema id as 32 bits, then Avro. Ids met before are read
 * synchronously; a new one is asked for once.
 */
export class AvroCodec implements EnvelopeCodec {
  readonly #ids: SchemaIds;
  readonly #types = new Map<string, avsc.Type>();
  /** By schema id and record name. null: this id means another record. */
  readonly #readers = new Map<string, Reader | null>();
  readonly #unknown = new Set<number>();
  /** A batch of records with a new id asks for it once. */
  readonly #asked = new Map<number, Promise<AvroRecordSchema>>();

  constructor(schemas: readonly AvroRecordSchema[], ids: SchemaIds) {
    this.#ids = ids;
    for (const schema of schemas) {
      const type = avroType(schema);
      this.#types.set(schema.name, type);
      const id = ids.idOf.get(schema.name);
      if (id !== undefined) this.#readers.set(`${id} ${schema.name}`, shippedReader(type));
    }
  }

  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array {
    const id = this.#ids.idOf.get(name);
    const type = this.#types.get(name);
    assert(id !== undefined && type !== undefined, `${name} is registered before anything is written`);
    const content = type.toBuffer(withBuffers(value));
    const bytes = Buffer.allocUnsafe(HEADER_SIZE + content.length);
    bytes[0] = 0;
    bytes.writeUInt32BE(id, 1);
    content.copy(bytes, HEADER_SIZE);
    return bytes;
  }

  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] | Promise<Envelopes[Name]> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < HEADER_SIZE || buffer[0] !== 0) throw undecodable(name, 'the Confluent header is missing');
    const id = buffer.readUInt32BE(1);
    const reader = this.#readers.get(`${id} ${name}`);
    if (reader !== undefined) return read(name, reader, buffer) as Envelopes[Name];
    if (this.#unknown.has(id)) throw undecodable(name, `schema id ${id} does not exist`);
    return this.#learn(name, id).then((learnt) => read(name, learnt, buffer) as Envelopes[Name]);
  }

  async #learn(name: string, id: number): Promise<Reader | null> {
    let writer: AvroRecordSchema;
    try {
      writer = await this.#ask(id);
    } catch (error) {
      if (!(error instanceof ClyraError) || error.retry !== 'never') throw error;
      if (this.#unknown.size < UNKNOWN_IDS_MAX) this.#unknown.add(id);
      throw undecodable(name, `schema id ${id} does not exist`);
    }
    const reader = this.#readerFor(name, writer);
    this.#readers.set(`${id} ${name}`, reader);
    return reader;
  }

  #ask(id: number): Promise<AvroRecordSchema> {
    const asked = this.#asked.get(id) ?? this.#ids.schemaOf(id).finally(() => this.#asked.delete(id));
    this.#asked.set(id, asked);
    return asked;
  }

  #readerFor(name: string, writer: AvroRecordSchema): Reader | null {
    const type = this.#types.get(name);
    if (type === undefined) return null;
    try {
      const writerType = avroType(writer);
      // Full names: a schema may carry its namespace in the name or beside it.
      if (writerType.name !== type.name) return null;
      const resolver = type.createResolver(writerType);
      const check = layoutCheck(writerType);
      return (bytes) => {
        check?.(bytes);
        return type.fromBuffer(bytes, resolver);
      };
    } catch {
      return null;
    }
  }
}

function shippedReader(type: avsc.Type): Reader {
  const check = layoutCheck(type);
  return (bytes) => {
    check?.(bytes);
    return type.fromBuffer(bytes);
  };
}

function read(name: string, reader: Reader | null, buffer: Buffer): unknown {
  if (reader === null) throw undecodable(name, 'the schema id means another record');
  try {
    return reader(buffer.subarray(HEADER_SIZE));
  } catch (cause) {
    throw undecodable(name, (cause as Error).message);
  }
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
