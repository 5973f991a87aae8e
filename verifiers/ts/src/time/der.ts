// SPDX-License-Identifier: Apache-2.0

/** Bytes that are not strict DER, or not the structure asked for. */
export class DerError extends Error {}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octets: 0x04,
  oid: 0x06,
  generalizedTime: 0x18,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;
const DEPTH_MAX = 24;

/** One element: its tag byte, its content, and all of its bytes. */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** Reads the elements of a constructed content one after the other. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of the next element, or undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  next(): Element {
    const element = elementAt(this.#bytes, this.#at);
    this.#at += element.bytes.length;
    return element;
  }

  take(tag: number): Element {
    if (this.peek() !== tag) {
      throw new DerError(`expected an element of tag ${tag.toString(16)}`);
    }
    return this.next();
  }

  optional(tag: number): Element | undefined {
    return this.peek() === tag ? this.next() : undefined;
  }

  end(): void {
    if (!this.isAtEnd) {
      throw new DerError('something follows where an element ends');
    }
  }
}

/** The only element of some bytes. */
export function readElement(bytes: Buffer, tag: number): Element {
  const reader = new DerReader(bytes);
  const element = reader.take(tag);
  reader.end();
  return element;
}

export function childrenOf(element: Element): DerReader {
  return new DerReader(element.content);
}

/** Walks a whole structure, so that what nobody looks at is DER as well. */
export function requireDer(bytes: Buffer, depth: number = 0): void {
  const reader = new DerReader(bytes);
  while (!reader.isAtEnd) {
    const { tag, content } = reader.next();
    if ((tag & 0x20) !== 0) {
      if (depth > DEPTH_MAX) {
        throw new DerError('nested too deep');
      }
      requireDer(content, depth + 1);
    }
  }
}

export function oidOf({ content }: Element): string {
  const parts: number[] = [];
  let value = 0;
  let isStart = true;
  for (const byte of content) {
    if (isStart && byte === 0x80) {
      throw new DerError('an object identifier with a padded part');
    }
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 256) {
      throw new DerError('an object identifier with a part too large');
    }
    isStart = byte < 0x80;
    if (isStart) {
      parts.push(value);
      value = 0;
    }
  }
  if (!isStart || parts.length === 0) {
    throw new DerError('an object identifier that does not end');
  }
  const [first = 0, ...rest] = parts;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** A non-negative integer of at most 48 bits. */
export function smallInteger({ content }: Element): number {
  requireInteger(content);
  if ((content[0] as number) >= 0x80 || content.length > 6) {
    throw new DerError('an integer out of range');
  }
  return content.readUIntBE(0, content.length);
}

export function requireInteger(content: Buffer): void {
  const [first, second] = content;
  const isPadded =
    content.length > 1 &&
    ((first === 0 && (second as number) < 0x80) || (first === 0xff && (second as number) >= 0x80));
  if (content.length === 0 || isPadded) {
    throw new DerError('an integer that is not in its shortest form');
  }
}

export function booleanOf({ content }: Element): boolean {
  if (content.length !== 1 || (content[0] !== 0 && content[0] !== 0xff)) {
    throw new DerError('not a boolean');
  }
  return content[0] === 0xff;
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at];
  if (tag === undefined || (tag & 0x1f) === 0x1f) {
    throw new DerError('an element is missing or has a long tag');
  }
  const { length, from } = lengthAt(bytes, at + 1);
  if (from + length > bytes.length) {
    throw new DerError('an element is cut short');
  }
  const element = { tag, content: bytes.subarray(from, from + length), bytes: bytes.subarray(at, from + length) };
  if (tag === TAG.integer) {
    requireInteger(element.content);
  } else if (tag === TAG.boolean) {
    booleanOf(element);
  }
  return element;
}

function lengthAt(bytes: Buffer, at: number): { length: number; from: number } {
  const first = bytes[at];
  if (first === undefined || first === 0x80 || first > 0x83) {
    throw new DerError('a length that is missing, indefinite or too long');
  }
  if (first < 0x80) {
    return { length: first, from: at + 1 };
  }
  const count = first & 0x7f;
  if (at + 1 + count > bytes.length) {
    throw new DerError('a length is cut short');
  }
  const length = bytes.readUIntBE(at + 1, count);
  if (length < 0x80 || bytes[at + 1] === 0) {
    throw new DerError('a length that is not in its shortest form');
  }
  return { length, from: at + 1 + count };
}
