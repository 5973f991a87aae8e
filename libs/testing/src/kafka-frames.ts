// SPDX-License-Identifier: Apache-2.0
const LENGTH_BYTES = 4;
const FRAME_BYTES_MAX = 128 * 1024 * 1024;

/** Cuts a byte stream into Kafka's frames: four bytes of length, then that many bytes. Frames keep their length bytes. */
export class FrameSplitter {
  #chunks: Buffer[] = [];
  #byteCount = 0;

  /** Throws where the stream cannot be Kafka's. */
  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#byteCount += chunk.length;
    const frames: Buffer[] = [];
    for (let frame = this.#take(); frame !== undefined; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): Buffer | undefined {
    if (this.#byteCount < LENGTH_BYTES) return undefined;
    const size = LENGTH_BYTES + this.#head(LENGTH_BYTES).readInt32BE(0);
    if (size < LENGTH_BYTES || size > FRAME_BYTES_MAX) throw new Error(`no Kafka frame has ${size} bytes`);
    if (this.#byteCount < size) return undefined;
    const joined = this.#head(size);
    this.#chunks[0] = joined.subarray(size);
    this.#byteCount -= size;
    return joined.subarray(0, size);
  }

  /** The first chunk, joined with as many of the next as it takes to have `size` bytes in it. */
  #head(size: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0);
    if (first.length >= size) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}

/** The two fields every Kafka request begins with, whatever its version. */
export function requestHead(frame: Buffer): { readonly apiKey: number; readonly correlationId: number } {
  return { apiKey: frame.readInt16BE(LENGTH_BYTES), correlationId: frame.readInt32BE(LENGTH_BYTES + 4) };
}

export function responseCorrelationId(frame: Buffer): number {
  return frame.readInt32BE(LENGTH_BYTES);
}
