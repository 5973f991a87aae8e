// SPDX-License-Identifier: Apache-2.0

/** The reversed Castagnoli polynomial (RFC 3720 appendix B.4), with which Kafka protects a batch of records. */
const POLYNOMIAL = 0x82f63b78;

/** Four tables, so that a turn of the loop takes four bytes: the sum is over every byte that is sent. */
const TABLES = tables();

function tables(): readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const [first, second, third, fourth] = [0, 1, 2, 3].map(() => new Uint32Array(256)) as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  for (let byte = 0; byte < 256; byte += 1) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
    first[byte] = rest;
  }
  const step = (value: number): number => (value >>> 8) ^ (first[value & 0xff] as number);
  for (let byte = 0; byte < 256; byte += 1) {
    second[byte] = step(first[byte] as number);
    third[byte] = step(second[byte] as number);
    fourth[byte] = step(third[byte] as number);
  }
  return [first, second, third, fourth];
}

export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  const [first, second, third, fourth] = TABLES;
  let sum = 0xffffffff;
  let at = from;
  for (; at + 4 <= to; at += 4) {
    sum ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    sum =
      (fourth[sum & 0xff] as number) ^
      (third[(sum >>> 8) & 0xff] as number) ^
      (second[(sum >>> 16) & 0xff] as number) ^
      (first[sum >>> 24] as number);
  }
  for (; at < to; at += 1) sum = (sum >>> 8) ^ (first[(sum ^ (bytes[at] as number)) & 0xff] as number);
  return (sum ^ 0xffffffff) >>> 0;
}
