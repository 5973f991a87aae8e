// SPDX-License-Identifier: Apache-2.0
/** Distinguished encoding (X.690 §10, §11) of the few types that RFC 3161, RFC 5652 and RFC 5280 need. */

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), lengthOf(content.length), content]);
}

function lengthOf(size: number): Uint8Array {
  if (size < 128) return Buffer.of(size);
  const digits: number[] = [];
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.of(0x80 | digits.length, ...digits);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
export const octets = (bytes: Uint8Array): Uint8Array => der(0x04, bytes);
export const boolean = (value: boolean): Uint8Array => der(0x01, Buffer.of(value ? 0xff : 0));
export const nothing = (): Uint8Array => der(0x05);
export const utf8 = (text: string): Uint8Array => der(0x0c, Buffer.from(text, 'utf8'));
export const generalizedTime = (text: string): Uint8Array => der(0x18, Buffer.from(text, 'ascii'));
/** All bits used. */
export const bits = (bytes: Uint8Array): Uint8Array => der(0x03, Buffer.of(0), bytes);
/** `[n]` around a whole value. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Uint8Array => der(0xa0 | number, ...parts);

/** Members in the order of their encodings (X.690 §11.6). */
export function setOf(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x31, ...parts.toSorted((a, b) => Buffer.compare(a, b)));
}

/** A non-negative integer of these big-endian bytes. */
export function integer(value: number | Uint8Array): Uint8Array {
  const bytes = typeof value === 'number' ? Buffer.from(value.toString(16).padStart(12, '0'), 'hex') : value;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const significant = bytes.subarray(start);
  const isNegative = ((significant[0] ?? 0) & 0x80) !== 0;
  return der(0x02, ...(isNegative ? [Buffer.of(0)] : []), significant);
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const groups = [first * 40 + second, ...rest].map((arc) => {
    const group = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) group.unshift(0x80 | (left % 128));
    return Buffer.of(...group);
  });
  return der(0x06, ...groups);
}
