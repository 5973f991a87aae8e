// SPDX-License-Identifier: Apache-2.0

const SLOTS = 2_048;
const LENGTH_MAX = 64;

/** Gives the text of a name without building it anew: lines have the same few names over and over. */
export class NameTable {
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');
  /** Of each text, in its slot of LENGTH_MAX bytes. */
  readonly #bytes: Uint8Array = new Uint8Array(SLOTS * LENGTH_MAX);
  readonly #lengths: Uint8Array = new Uint8Array(SLOTS);
  /**
   * What was met last in a slot and is not kept in it. Only what is met again is kept: texts that stand in one line and never
   * again would each outlive their line, and the old generation would fill with them.
   */
  readonly #met: Int32Array = new Int32Array(SLOTS);

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
    if (this.#lengths[slot] === length && this.#isIn(slot * LENGTH_MAX, bytes, { from, length })) {
      return this.#texts[slot] as string;
    }
    const text = bytes.toString('latin1', from, to);
    if (this.#met[slot] === mark) {
      this.#texts[slot] = text;
      this.#lengths[slot] = length;
      this.#bytes.set(bytes.subarray(from, to), slot * LENGTH_MAX);
    } else {
      this.#met[slot] = mark;
    }
    return text;
  }

  #isIn(start: number, bytes: Uint8Array, piece: { readonly from: number; readonly length: number }): boolean {
    const { from, length } = piece;
    const kept = this.#bytes;
    for (let index = 0; index < length; index += 1) {
      if (kept[start + index] !== bytes[from + index]) {
        return false;
      }
    }
    return true;
  }
}
