// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';

/** Takes as many bytes off a stream as one asks for. */
export class PackedReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Null at the end of the stream. Throws when it ends within what was asked for. */
  async take(size: number): Promise<Buffer | null> {
    const parts = [this.#rest];
    let held = this.#rest.length;
    while (held < size) {
      const { value, done } = await this.#chunks.next();
      if (done === true) {
        if (held > 0) {
          throw new Error(`the stream ended ${size - held} bytes too early`);
        }
        return null;
      }
      parts.push(value);
      held += value.length;
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    this.#rest = all.subarray(size);
    return all.subarray(0, size);
  }
}
