// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';

const LF = Uint8Array.of(0x0a);

/**
 * The lines of an open range. Up to a limit they lie in memory; beyond it they are moved in whole pieces to the blob
 * store under the digest of their content, so that a range of any size is held in constant memory, and a second fold
 * of the same lines writes the same pieces again. Pieces may be deleted once their bundle stands.
 */
export class LineSpool {
  readonly #blobs: BlobStore;
  readonly #bytesMax: number;
  #pieces: Digest[] = [];
  #lines: Uint8Array[] = [];
  #bytes = 0;

  constructor(blobs: BlobStore, bytesMax: number) {
    this.#blobs = blobs;
    this.#bytesMax = bytesMax;
  }

  append(line: Uint8Array): void {
    this.#lines.push(line, LF);
    this.#bytes += line.length + 1;
  }

  get isFull(): boolean {
    return this.#bytes > this.#bytesMax;
  }

  /** Moves what lies in memory out. May be repeated after a failure. */
  async spill(): Promise<void> {
    const piece = Buffer.concat(this.#lines);
    const digest = digestOf(piece);
    await this.#blobs.put(pieceName(digest), piece);
    this.#pieces.push(digest);
    this.#lines = [];
    this.#bytes = 0;
  }

  /** The whole journal file; each call starts anew. Rejects with CLY_SPOOL_LOST (retry: backoff). */
  async *content(): AsyncIterable<Uint8Array> {
    for (const digest of this.#pieces) {
      const piece = await this.#blobs.get(pieceName(digest));
      if (piece === undefined) {
        throw new ClyraError('CLY_SPOOL_LOST', `${pieceName(digest)} is gone: restore it, or start the bundler again`, {
          retry: 'backoff',
        });
      }
      yield piece;
    }
    yield Buffer.concat(this.#lines);
  }

  clear(): void {
    this.#pieces = [];
    this.#lines = [];
    this.#bytes = 0;
  }
}

function pieceName(digest: Digest): string {
  return `spool/${digest}`;
}
