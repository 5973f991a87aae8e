// SPDX-License-Identifier: Apache-2.0

const SLOTS = 2_048;
const LENGTH_MAX = 64;

/** Gives the text of a name without building it anew: lines have the same few names over and over. */
export class NameTable {
  readonly #names: (string | undefined)[] = new Array(SLOTS);
  readonly #bytes: (Uint8Array | undefined)[] = new Array(SLOTS);

  textOf(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length > LENGTH_MAX) {
      return bytes.toString('latin1', from, to);
    }
    let mark = length;
    for (let at = from; at < to; at += 1) {
      mark = (Math.imul(mark, 31) + (bytes[at] as number)) | 0;
    }
    const slot = mark & (SLOTS - 1);
    const known = this.#bytes[slot];
    if (known !== undefined && isSame(known, bytes, { from, length })) {
      return this.#names[slot] as string;
    }
    const text = bytes.toString('latin1', from, to);
    this.#names[slot] = text;
    this.#bytes[slot] = Uint8Array.prototype.slice.call(bytes, from, to);
    return text;
  }
}

function isSame(
  known: Uint8Array,
  bytes: Uint8Array,
  piece: { readonly from: number; readonly length: number },
): boolean {
  const { from, length } = piece;
  if (known.length !== length) {
    return false;
  }
  for (let index = 0; index < length; index += 1) {
    if (known[index] !== bytes[from + index]) {
      return false;
    }
  }
  return true;
}
