// SPDX-License-Identifier: Apache-2.0
import { decodeBase64 } from '../signature/base64.ts';
import { isObject, type JsonObject, type JsonValue } from './json-value.ts';

/** A value that parses but is not of the shape its format gives it. `member` is a path such as `receipt.body.offset`. */
export class ShapeError extends Error {
  readonly member: string;

  constructor(member: string, message: string) {
    super(message);
    this.name = 'ShapeError';
    this.member = member;
  }
}

export type Reader<T> = (value: JsonValue | undefined, member: string) => T;
type Members = Readonly<Record<string, Reader<unknown>>>;
type Read<M extends Members> = { readonly [K in keyof M]: ReturnType<M[K]> };

/** By a table, since digits and letters follow each other at random: a branch for each would be guessed wrong half the time. */
const HEX: Uint8Array = Uint8Array.from({ length: 256 }, (_, unit) =>
  '0123456789abcdef'.includes(String.fromCharCode(unit)) ? 1 : 0,
);

/** Whether a text is so many lower-case hex digits. */
export function isHex(value: string, length: number): boolean {
  if (value.length !== length) {
    return false;
  }
  let all = 1;
  for (let index = 0; index < length; index += 1) {
    all &= HEX[value.charCodeAt(index)] ?? 0;
  }
  return all === 1;
}

export const text: Reader<string> = (value, member) => {
  if (typeof value !== 'string') {
    throw new ShapeError(member, 'must be a string');
  }
  return value;
};

export const flag: Reader<boolean> = (value, member) => {
  if (typeof value !== 'boolean') {
    throw new ShapeError(member, 'must be true or false');
  }
  return value;
};

export const anything: Reader<JsonValue> = (value, member) => {
  if (value === undefined) {
    throw new ShapeError(member, 'is missing');
  }
  return value;
};

export const object: Reader<JsonObject> = (value, member) => {
  if (!isObject(value)) {
    throw new ShapeError(member, 'must be an object');
  }
  return value;
};

/** Standard base64 with padding and unused bits zero. */
export const base64: Reader<Buffer> = (value, member) => {
  const bytes = typeof value === 'string' ? decodeBase64(value) : null;
  if (bytes === null) {
    throw new ShapeError(member, 'must be base64');
  }
  return bytes;
};

export const digest: Reader<string> = (value, member) => {
  if (typeof value !== 'string' || !isHex(value, 64)) {
    throw new ShapeError(member, 'must be 64 lower-case hex digits');
  }
  return value;
};

export const id: Reader<string> = (value, member) => {
  if (typeof value !== 'string' || !isHex(value, 32)) {
    throw new ShapeError(member, 'must be 32 lower-case hex digits');
  }
  return value;
};

export function base64Of(length: number): Reader<Buffer> {
  return (value, member) => {
    const bytes = base64(value, member);
    if (bytes.length !== length) {
      throw new ShapeError(member, `must be ${length} bytes of base64`);
    }
    return bytes;
  };
}

export function matching(pattern: RegExp, message: string): Reader<string> {
  return (value, member) => {
    if (typeof value !== 'string' || !pattern.test(value)) {
      throw new ShapeError(member, message);
    }
    return value;
  };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Reader<T> {
  return (value, member) => {
    const found = allowed.find((word) => word === value);
    if (found === undefined) {
      throw new ShapeError(member, `must be one of ${allowed.join(', ')}`);
    }
    return found;
  };
}

export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (value, member) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
      throw new ShapeError(member, `must be an integer from ${min} to ${max}`);
    }
    return value;
  };
}

export function nullable<T>(reader: Reader<T>): Reader<T | null> {
  return (value, member) => (value === null ? null : reader(value, member));
}

/** For a member that may be absent. Null is not absent. */
export function optional<T>(reader: Reader<T>): Reader<T | undefined> {
  return (value, member) => (value === undefined ? undefined : reader(value, member));
}

export function list<T>(reader: Reader<T>, countMax: number = Number.MAX_SAFE_INTEGER): Reader<readonly T[]> {
  return (value, member) => {
    if (!Array.isArray(value) || value.length > countMax) {
      throw new ShapeError(member, `must be a list of at most ${countMax} values`);
    }
    return value.map((item, index) => {
      try {
        return reader(item, '');
      } catch (error) {
        throw inside(`${member}[${index}]`, error);
      }
    });
  };
}

/** A list whose values rise by a text of each, none twice (spec README: ascending). */
export function ascending<T>(reader: Reader<readonly T[]>, keyOf: (value: T) => string): Reader<readonly T[]> {
  return (value, member) => {
    const values = reader(value, member);
    for (let index = 1; index < values.length; index += 1) {
      if (keyOf(values[index - 1] as T) >= keyOf(values[index] as T)) {
        throw new ShapeError(`${member}[${index}]`, 'does not stand in ascending order');
      }
    }
    return values;
  };
}

/** Puts the path of the outer value before that of the inner one: only an error pays for its path. */
function inside(member: string, error: unknown): unknown {
  if (!(error instanceof ShapeError) || member === '') {
    return error;
  }
  return new ShapeError(error.member === '' ? member : `${member}.${error.member}`, error.message);
}

/** An object with at least these members; others are left unread. */
export function open<const M extends Members>(members: M): Reader<Read<M>> {
  const readers = Object.entries(members);
  return (value, member) => {
    const from = object(value, member);
    const into: Record<string, unknown> = {};
    try {
      for (const [name, reader] of readers) {
        const read = reader(from[name], name);
        // What is absent stays absent, so that writing the value again gives the same bytes.
        if (read !== undefined) {
          into[name] = read;
        }
      }
    } catch (error) {
      throw inside(member, error);
    }
    return into as Read<M>;
  };
}

/** An object with these members and no other. */
export function closed<const M extends Members>(members: M): Reader<Read<M>> {
  const read = open(members);
  const names = new Set(Object.keys(members));
  return (value, member) => {
    const result = read(value, member);
    for (const name in object(value, member)) {
      if (!names.has(name)) {
        throw new ShapeError(member === '' ? name : `${member}.${name}`, 'is no member of this format');
      }
    }
    return result;
  };
}
