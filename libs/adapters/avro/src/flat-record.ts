// SPDX-License-Identifier: Apache-2.0
import type { AvroRecordSchema } from './avro-schema.ts';

type Kind = 'bytes' | 'string' | 'int' | 'long' | 'bytes?';
type Field = { readonly name: string; readonly kind: Kind };
type Values = Readonly<Record<string, unknown>>;

/** A record without lists, maps or records inside, as all envelopes are. */
export type FlatRecord = {
  /** undefined where anything about the bytes is unusual: then the library says what they are. Bytes come as views. */
  read(bytes: Buffer, from: number): Values | undefined;
  /** The record behind so many bytes that the caller fills in; undefined where a number is unusual. */
  write(value: Values, headerSize: number): Buffer | undefined;
};

const KINDS: ReadonlySet<unknown> = new Set(['bytes', 'string', 'int', 'long']);

/** undefined where the schema has a field of another type. */
export function flatRecord({ fields }: AvroRecordSchema): FlatRecord | undefined {
  const flat = fields.flatMap(({ name, type }): Field[] => {
    if (typeof name !== 'string') return [];
    if (KINDS.has(type)) return [{ name, kind: type as Kind }];
    return JSON.stringify(type) === '["null","bytes"]' ? [{ name, kind: 'bytes?' }] : [];
  });
  if (flat.length !== fields.length) return undefined;
  return {
    read: (bytes, from) => readFields(flat, new FlatReader(bytes, from)),
    write: (value, headerSize) => writeFields(flat, value, headerSize),
  };
}

function readFields(fields: readonly Field[], from: FlatReader): Values | undefined {
  const value: Record<string, unknown> = {};
  for (const { name, kind } of fields) {
    const member = readField(kind, from);
    if (member === undefined) return undefined;
    value[name] = member;
  }
  return from.atEnd ? value : undefined;
}

function readField(kind: Kind, from: FlatReader): unknown {
  switch (kind) {
    case 'bytes':
      return from.bytes();
    case 'string':
      return from.string();
    case 'int':
      return from.int();
    case 'long':
      return from.long();
    case 'bytes?': {
      const branch = from.long();
      if (branch === 0) return null;
      return branch === 1 ? from.bytes() : undefined;
    }
  }
}

class FlatReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Zigzag varint; undefined beyond ±(2^53−1), beyond eight bytes, and behind the end. */
  long(): number | undefined {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return undefined;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) return undefined;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      scale *= 128;
    }
    return undefined;
  }

  int(): number | undefined {
    const value = this.long();
    return value === undefined || value !== (value | 0) ? undefined : value;
  }

  bytes(): Buffer | undefined {
    const end = this.#end();
    if (end === undefined) return undefined;
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  string(): string | undefined {
    const end = this.#end();
    if (end === undefined) return undefined;
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  #end(): number | undefined {
    const length = this.long();
    if (length === undefined || length < 0 || length > this.#bytes.length - this.#at) return undefined;
    return this.#at + length;
  }
}

function writeFields(fields: readonly Field[], value: Values, headerSize: number): Buffer | undefined {
  let size = headerSize;
  for (const { name, kind } of fields) {
    const member = value[name];
    if (typeof member === 'number' && !isPlain(member, kind)) return undefined;
    size += sizeOf(kind, member);
  }
  const bytes = Buffer.allocUnsafe(size);
  let at = headerSize;
  for (const { name, kind } of fields) at = writeField(bytes, at, { kind, member: value[name] });
  return bytes;
}

function sizeOf(kind: Kind, member: unknown): number {
  switch (kind) {
    case 'bytes':
      return prefixed((member as Uint8Array).length);
    case 'string':
      return prefixed(textSize(member as string));
    case 'bytes?':
      return member === null ? 1 : 1 + prefixed((member as Uint8Array).length);
    default:
      return longSize(member as number);
  }
}

/** Names, kinds and ids are short and ASCII: to look at them costs less than to ask the platform, twice for each. */
const SHORT_LENGTH_MAX = 64;

function textSize(text: string): number {
  if (text.length > SHORT_LENGTH_MAX) return Buffer.byteLength(text, 'utf8');
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text, 'utf8');
  }
  return text.length;
}

function prefixed(length: number): number {
  return longSize(length) + length;
}

function writeField(bytes: Buffer, at: number, { kind, member }: { kind: Kind; member: unknown }): number {
  switch (kind) {
    case 'bytes':
      return writeBytes(bytes, at, member as Uint8Array);
    case 'string': {
      const text = member as string;
      const size = textSize(text);
      const from = writeLong(bytes, at, size);
      if (size !== text.length || size > SHORT_LENGTH_MAX) return from + bytes.write(text, from, 'utf8');
      for (let index = 0; index < size; index += 1) bytes[from + index] = text.charCodeAt(index);
      return from + size;
    }
    case 'bytes?': {
      if (member === null) return writeLong(bytes, at, 0);
      return writeBytes(bytes, writeLong(bytes, at, 1), member as Uint8Array);
    }
    default:
      return writeLong(bytes, at, member as number);
  }
}

function writeBytes(bytes: Buffer, at: number, member: Uint8Array): number {
  const from = writeLong(bytes, at, member.length);
  bytes.set(member, from);
  return from + member.length;
}

/** Zigzag doubles a number: beyond 2^52 it would no longer be exact. */
const LONG_MAX = 2 ** 52;
const INT_MAX = 2 ** 31;

function isPlain(value: number, kind: Kind): boolean {
  return Number.isInteger(value) && Math.abs(value) < (kind === 'int' ? INT_MAX : LONG_MAX);
}

function writeLong(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = zigzag(value);
  while (rest >= 128) {
    bytes[at] = (rest % 128) | 0x80;
    rest = Math.floor(rest / 128);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function longSize(value: number): number {
  let size = 1;
  for (let rest = zigzag(value); rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}
