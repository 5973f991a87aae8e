// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';

const LF = 0x0a;
const FIRST_BYTES = 4_096;
const NOTHING = Buffer.alloc(0);

/**
 * The lines of an open range. Up to a limit they lie in memory; beyond it they are moved in whole pieces to the blob
 * store under the digest of their content, so that a range of any size is held in constant memory, and a second fold
 * of the same lines writes the same pieces again. Pieces may be deleted once their bundle stands.
 */
export class LineSpool {
  readonly #blobs: BlobStore;
  readonly #bytesMax: number;
  #pieces: Digest[] = [];
  #held = NOTHING;
  #size = 0;

  constructor(blobs: BlobStore, bytesMax: number) {
    this.#blobs = blobs;
    this.#bytesMax = bytesMax;
  }

  /** Copies the line: it is a view into a whole fetch, most of which may be lines of other tenants. */
  append(line: Uint8Array): void {
    this.#makeRoom(line.length + 1);
    this.#held.set(line, this.#size);
    this.#held[this.#size + line.length] = LF;
    this.#size += line.length + 1;
  }

  get isFull(): boolean {
    return this.#size > this.#bytesMax;
  }

  /** Moves what lies in memory out. May be repeated after a failure. */
  async spill(): Promise<void> {
    const piece = this.#held.subarray(0, this.#size);
    const digest = digestOf(piece);
    await this.#blobs.put(pieceName(digest), piece);
    this.#pieces.push(digest);
    this.#forget();
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
    yield this.#held.subarray(0, this.#size);
  }

  clear(): void {
    this.#pieces = [];
    this.#forget();
  }

  #makeRoom(bytes: number): void {
    const needed = this.#size + bytes;
    if (needed <= this.#held.length) return;
    const larger = Buffer.alloc(Math.max(FIRST_BYTES, needed, this.#held.length * 2));
    larger.set(this.#held.subarray(0, this.#size));
    this.#held = larger;
  }

  #forget(): void {
    this.#held = NOTHING;
    this.#size = 0;
  }
}

function pieceName(digest: Digest): string {
  return `spool/${digest}`;
}
