// SPDX-License-Identifier: Apache-2.0
import type { Type, types } from 'avsc';

/**
 * The library believes the item count of an array or map before it looks at the bytes: ten bytes that announce
 * 2^31 items keep it busy for minutes, and whoever may write to a topic could stop its readers. This walk checks
 * the counts against the bytes that are there.
 */
export type LayoutCheck = (bytes: Buffer) => void;

/** Items can be empty (null, a record without fields), so a few more than there are bytes are let through. */
const EMPTY_ITEM_COUNT_MAX = 1_024;
const VARINT_BYTES_MAX = 10;

/** undefined where the schema has no blocks and so needs no check. The check throws RangeError. */
export function layoutCheck(type: Type): LayoutCheck | undefined {
  const walkers = new Map<Type, Walk>();
  const walk = walkerOf(type, walkers);
  if (![...walkers.keys()].some(({ typeName }) => typeName === 'array' || typeName === 'map')) return undefined;
  return (bytes) => walk(new Cursor(bytes));
}

type Walk = (cursor: Cursor) => void;

class Cursor {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get remainingBytes(): number {
    return this.#bytes.length - this.#position;
  }

  skip(byteCount: number): void {
    if (byteCount < 0 || byteCount > this.remainingBytes) throw new RangeError('a length points outside the record');
    this.#position += byteCount;
  }

  /** Zigzag varint; a value beyond 2^53 is only ever compared with lengths, so its lost digits do not matter. */
  readLong(): number {
    let value = 0;
    for (let byteIndex = 0; byteIndex < VARINT_BYTES_MAX; byteIndex += 1) {
      const byte = this.#bytes[this.#position];
      if (byte === undefined) throw new RangeError('the record ends within a number');
      this.#position += 1;
      value += (byte & 0x7f) * 2 ** (7 * byteIndex);
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new RangeError('a number is longer than ten bytes');
  }
}

function walkerOf(type: Type, walkers: Map<Type, Walk>): Walk {
  const known = walkers.get(type);
  if (known !== undefined) return known;
  // Entered before its parts are built, because a record may hold itself.
  let walk: Walk = () => {};
  walkers.set(type, (cursor) => walk(cursor));
  walk = buildWalker(type, walkers);
  return walk;
}

function buildWalker(type: Type, walkers: Map<Type, Walk>): Walk {
  const fixedBytes = FIXED_BYTES[type.typeName];
  if (fixedBytes !== undefined) return (cursor) => cursor.skip(fixedBytes);
  switch (type.typeName) {
    case 'int':
    case 'long':
    case 'enum':
      return (cursor) => void cursor.readLong();
    case 'bytes':
    case 'string':
      return (cursor) => cursor.skip(cursor.readLong());
    case 'fixed': {
      const { size } = type as types.FixedType;
      return (cursor) => cursor.skip(size);
    }
    case 'record':
    case 'error': {
      const fields = (type as types.RecordType).fields.map((field) => walkerOf(field.type, walkers));
      return (cursor) => {
        for (const field of fields) field(cursor);
      };
    }
    case 'array':
      return blocks(walkerOf((type as types.ArrayType).itemsType, walkers));
    case 'map': {
      const value = walkerOf((type as types.MapType).valuesType, walkers);
      return blocks((cursor) => {
        cursor.skip(cursor.readLong());
        value(cursor);
      });
    }
    case 'union:wrapped':
    case 'union:unwrapped':
      return union((type as types.UnwrappedUnionType).types.map((branch) => walkerOf(branch, walkers)));
    default:
      return walkerOf((type as types.LogicalType).underlyingType, walkers);
  }
}

const FIXED_BYTES: Readonly<Record<string, number>> = { null: 0, boolean: 1, float: 4, double: 8 };

function union(branches: readonly Walk[]): Walk {
  return (cursor) => {
    const branch = branches[cursor.readLong()];
    if (branch === undefined) throw new RangeError('a union names a branch that it does not have');
    branch(cursor);
  };
}

/** A negative count announces that the block's size in bytes follows (Avro specification, "Arrays"). */
function blocks(item: Walk): Walk {
  return (cursor) => {
    for (let count = cursor.readLong(); count !== 0; count = cursor.readLong()) {
      if (count < 0) cursor.readLong();
      const itemCount = Math.abs(count);
      if (itemCount > cursor.remainingBytes + EMPTY_ITEM_COUNT_MAX) {
        throw new RangeError('a block announces more items than the record has bytes');
      }
      for (let itemIndex = 0; itemIndex < itemCount; itemIndex += 1) item(cursor);
    }
  };
}
