// SPDX-License-Identifier: Apache-2.0

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Finds where a JSON value ends, over as many chunks as it takes. Only structure counts: a reader judges the bytes. */
export class ItemScan {
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #isScalar = false;
  #isDone = false;
  #hasBegun = false;

  get isDone(): boolean {
    return this.#isDone;
  }

  begin(): void {
    this.#depth = 0;
    this.#inString = false;
    this.#isEscaped = false;
    this.#isScalar = false;
    this.#isDone = false;
    this.#hasBegun = false;
  }

  /** The position behind the last byte of the value in this chunk. */
  scan(chunk: Uint8Array, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#inString) {
        at = this.#string(chunk, at);
        if (!this.#inString && this.#depth === 0) return this.#done(at);
        continue;
      }
      const byte = chunk[at] as number;
      if (this.#isScalar && isScalarEnd(byte)) return this.#done(at);
      at += 1;
      if (byte === QUOTE) this.#inString = true;
      else if (byte === 0x7b || byte === 0x5b) this.#depth += 1;
      else if (byte === 0x7d || byte === 0x5d) {
        this.#depth -= 1;
        if (this.#depth <= 0) return this.#done(at);
      } else if (!this.#hasBegun) this.#isScalar = true;
      this.#hasBegun = true;
    }
    return at;
  }

  /** The position behind the closing quote, or the end of the chunk. */
  #string(chunk: Uint8Array, from: number): number {
    let isEscaped = this.#isEscaped;
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (isEscaped) isEscaped = false;
      else if (byte === BACKSLASH) isEscaped = true;
      else if (byte === QUOTE) {
        this.#inString = false;
        at += 1;
        break;
      }
    }
    this.#isEscaped = isEscaped;
    return at;
  }

  #done(at: number): number {
    this.#isDone = true;
    return at;
  }
}

function isScalarEnd(byte: number): boolean {
  return (
    byte === 0x2c || byte === 0x5d || byte === 0x7d || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
  );
}
