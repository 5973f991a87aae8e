// SPDX-License-Identifier: Apache-2.0

/** The reversed Castagnoli polynomial (RFC 3720 appendix B.4), with which Kafka protects a batch of records. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables in one, so that a turn of the loop takes eight bytes: the sum is over every byte that is sent. */
const STEP_BYTES = 8;
const TABLE_SIZE = 256;
const TABLES = tables();

/** The sum of a byte with so many zero bytes behind it stands at `zeros * TABLE_SIZE + byte`. */
function tables(): Int32Array {
  const made = new Int32Array(STEP_BYTES * TABLE_SIZE);
  for (let byte = 0; byte < TABLE_SIZE; byte += 1) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? POLYNOMIAL : 0);
    made[byte] = rest;
  }
  for (let at = TABLE_SIZE; at < made.length; at += 1) {
    const before = made[at - TABLE_SIZE] as number;
    made[at] = (before >>> 8) ^ (made[before & 0xff] as number);
  }
  return made;
}

export function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let sum = -1;
  let at = from;
  for (; at + STEP_BYTES <= to; at += STEP_BYTES) {
    sum ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    sum =
      (TABLES[1792 + (sum & 0xff)] as number) ^
      (TABLES[1536 + ((sum >>> 8) & 0xff)] as number) ^
      (TABLES[1280 + ((sum >>> 16) & 0xff)] as number) ^
      (TABLES[1024 + (sum >>> 24)] as number) ^
      (TABLES[768 + (bytes[at + 4] as number)] as number) ^
      (TABLES[512 + (bytes[at + 5] as number)] as number) ^
      (TABLES[256 + (bytes[at + 6] as number)] as number) ^
      (TABLES[bytes[at + 7] as number] as number);
  }
  for (; at < to; at += 1) sum = (sum >>> 8) ^ (TABLES[(sum ^ (bytes[at] as number)) & 0xff] as number);
  return ~sum >>> 0;
}
