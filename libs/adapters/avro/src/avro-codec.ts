// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Type } from 'avsc';
import { type AvroSchema, parseSchema, recordNameOf } from './avro-schema.ts';
import { recordReader, type ReadRecord, undecodable } from './record-readers.ts';
import type { SchemaSource } from './schema-source.ts';
import { readSchemaId, WIRE_HEADER_BYTES, writeWireHeader } from './wire-format.ts';

export type AvroCodecOptions = {
  /** The record schemas that this program ships, one a record name. */
  readonly schemas: readonly AvroSchema[];
  /** The schema id of each of them, by full record name. */
  readonly ids: ReadonlyMap<string, number>;
  /** Asked for other ids. Without one an id outside the table is undecodable. */
  readonly source?: SchemaSource;
  readonly lookupDeadlineMs?: number;
};

export type DecodeOptions = {
  /** Full name of the shipped schema to read as. Default: the one with the writer's name, else the writer's own. */
  readonly readerSchema?: string;
};

export type Decoded = {
  /** The writer's record name. */
  readonly recordName: string;
  readonly value: unknown;
};

type Shipped = { readonly type: Type; readonly schemaId: number };
type Writer = { readonly type: Type; readonly recordName: string; readonly readers: Map<string, ReadRecord> };

const LOOKUP_DEADLINE_MS = 3_000;
/** Ids come from a registry with write protection; the limit only keeps a broken one from filling the memory. */
const WRITER_COUNT_MAX = 4_096;
const SCRATCH_BYTES = 64 * 1024;

/**
 * Records in Confluent's wire format, with precompiled Avro types. What is hashed or signed travels inside as one
 * `bytes` field, so that resolving to a newer schema never touches it.
 */
export class AvroCodec {
  readonly #shipped = new Map<string, Shipped>();
  readonly #writers = new Map<number, Writer>();
  readonly #lookups = new Map<number, Promise<Writer>>();
  readonly #source: SchemaSource | undefined;
  readonly #lookupDeadlineMs: number;
  #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);

  /** Throws CLY_SCHEMA_INVALID, or CLY_SCHEMA_NOT_REGISTERED when a schema has no id. */
  constructor(options: AvroCodecOptions) {
    this.#source = options.source;
    this.#lookupDeadlineMs = options.lookupDeadlineMs ?? LOOKUP_DEADLINE_MS;
    for (const schema of options.schemas) {
      const type = parseSchema(schema);
      const recordName = recordNameOf(type);
      const schemaId = options.ids.get(recordName);
      if (schemaId === undefined) throw notRegistered(recordName);
      this.#shipped.set(recordName, { type, schemaId });
      this.#writers.set(schemaId, { type, recordName, readers: new Map() });
    }
  }

  /** Throws CLY_SCHEMA_VALUE when the value does not fit, CLY_SCHEMA_NOT_REGISTERED for a name that is not shipped. */
  encode(recordName: string, value: unknown): Buffer {
    const shipped = this.#shipped.get(recordName);
    if (shipped === undefined) throw notRegistered(recordName);
    try {
      return this.#write(shipped, value);
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      throw new ClyraError('CLY_SCHEMA_VALUE', `the value does not fit ${recordName} (${said}): correct the caller`, {
        retry: 'never',
        context: { recordName },
        cause,
      });
    }
  }

  /**
   * Synchronous when the schema id is known. Otherwise the source is asked once, also for many records at a time.
   * CLY_SCHEMA_UNDECODABLE (retry: never): the bytes can never be read. CLY_SCHEMA_REGISTRY_UNREACHABLE (retry:
   * backoff): nobody could say, so the record is not poison and the partition must wait.
   */
  decode(bytes: Uint8Array, options: DecodeOptions = {}): Decoded | Promise<Decoded> {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const schemaId = readSchemaId(buffer);
    if (schemaId === undefined) throw undecodable('the record is not in the wire format', { byteCount: buffer.length });
    const writer = this.#writers.get(schemaId);
    if (writer !== undefined) return this.#read(writer, { schemaId, buffer, options });
    return this.#lookUp(schemaId).then((found) => this.#read(found, { schemaId, buffer, options }));
  }

  #write({ type, schemaId }: Shipped, value: unknown): Buffer {
    let end = type.encode(value, this.#scratch, WIRE_HEADER_BYTES);
    if (end < 0) {
      // The library says how much was missing; the buffer keeps its new size for the next large record.
      this.#scratch = Buffer.allocUnsafe(this.#scratch.length - end);
      end = type.encode(value, this.#scratch, WIRE_HEADER_BYTES);
    }
    writeWireHeader(this.#scratch, schemaId);
    const record = Buffer.from(this.#scratch.subarray(0, end));
    if (this.#scratch.length > SCRATCH_BYTES) this.#scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
    return record;
  }

  #read(writer: Writer, { schemaId, buffer, options }: ReadJob): Decoded {
    const readerName = options.readerSchema ?? writer.recordName;
    let read = writer.readers.get(readerName);
    if (read === undefined) {
      const reader = this.#shipped.get(readerName)?.type;
      if (reader === undefined && options.readerSchema !== undefined) throw notRegistered(options.readerSchema);
      read = recordReader(writer.type, reader, schemaId);
      writer.readers.set(readerName, read);
    }
    return { recordName: writer.recordName, value: read(buffer) };
  }

  #lookUp(schemaId: number): Promise<Writer> {
    const pending = this.#lookups.get(schemaId) ?? this.#ask(schemaId);
    this.#lookups.set(schemaId, pending);
    return pending;
  }

  async #ask(schemaId: number): Promise<Writer> {
    try {
      const schema = await this.#source?.schemaById(schemaId, this.#lookupDeadlineMs);
      if (schema === undefined) throw undecodable(`there is no schema with id ${schemaId}`, { schemaId });
      const writer = newWriter(schema, schemaId);
      const oldest = this.#writers.size < WRITER_COUNT_MAX ? undefined : this.#oldestForeignId();
      if (oldest !== undefined) this.#writers.delete(oldest);
      this.#writers.set(schemaId, writer);
      return writer;
    } finally {
      this.#lookups.delete(schemaId);
    }
  }

  #oldestForeignId(): number | undefined {
    const own = new Set([...this.#shipped.values()].map(({ schemaId }) => schemaId));
    return this.#writers.keys().find((schemaId) => !own.has(schemaId));
  }
}

type ReadJob = { readonly schemaId: number; readonly buffer: Buffer; readonly options: DecodeOptions };

function newWriter(schema: AvroSchema, schemaId: number): Writer {
  try {
    const type = parseSchema(schema);
    return { type, recordName: recordNameOf(type), readers: new Map() };
  } catch (cause) {
    throw undecodable(`schema ${schemaId} is not an Avro record`, { schemaId }, cause);
  }
}

function notRegistered(recordName: string): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_NOT_REGISTERED',
    `${recordName} has no schema id here: register the shipped schemas before this program starts`,
    { retry: 'backoff', context: { recordName } },
  );
}
