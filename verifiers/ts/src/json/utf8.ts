// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';

/** The index of the first byte that does not belong to well-formed UTF-8, or −1. Overlong forms and surrogates do not. */
export function findInvalidUtf8(bytes: Uint8Array): number {
  if (isUtf8(bytes)) {
    return -1;
  }
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length === 0) {
      return at;
    }
    at += length;
  }
  return -1;
}

/** Bytes of the character at `at`, 0 when there is none. Table 3-7 of the Unicode standard. */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) {
    return 1;
  }
  const tail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  if (lead < 0xc2 || lead > 0xf4) {
    return 0;
  }
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest || second > highest) {
    return 0;
  }
  for (let index = 2; index <= tail; index += 1) {
    if (((bytes[at + index] ?? 0) & 0xc0) !== 0x80) {
      return 0;
    }
  }
  return tail + 1;
}
