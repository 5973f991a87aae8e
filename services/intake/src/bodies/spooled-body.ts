// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, rm } from 'node:fs/promises';
import { BLOCK_BYTES, openBlock, sealBlock, TAG_BYTES } from './spool-cipher.ts';
import { writeError } from './spool-error.ts';
import type { SpoolRoom } from './spool-room.ts';

/**
 * After so many bytes the young objects are collected, where the process may ask for it (`--expose-gc`, as services are
 * started). A body's buffers lie outside of V8's heap, which by itself lets 64 MB of them gather.
 */
const COLLECT_BYTES = 8_388_608;
const BLOCKS_A_COLLECTION = COLLECT_BYTES / BLOCK_BYTES;

type Secret = { readonly id: Uint8Array; readonly key: Uint8Array };

/** One body that waits: small ones in memory, larger ones in an encrypted file. Written once, then read any number of times. */
export class SpooledBody {
  readonly #folder: SpoolRoom;
  readonly #secret: Secret;
  #memory: Uint8Array[] = [];
  #memoryBytes = 0;
  #size = 0;
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  #blockCount = 0;
  #readers = 0;
  #isUnwanted = false;
  #isGone = false;

  constructor(folder: SpoolRoom, secret: Secret) {
    this.#folder = folder;
    this.#secret = secret;
  }

  get size(): number {
    return this.#size;
  }

  get isOnDisk(): boolean {
    return this.#file !== undefined;
  }

  /** Rejects with CLY_SPOOL_FULL, CLY_SPOOL_DISK_FULL or CLY_SPOOL_UNAVAILABLE; the body is to be discarded then. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#folder.reserve(chunk.length);
    this.#size += chunk.length;
    this.#memory.push(chunk);
    this.#memoryBytes += chunk.length;
    if (this.#file === undefined && this.#size <= this.#folder.limits.memoryBytesMax) return;
    this.#file ??= await this.#folder.openFile(this.#secret.id);
    // The last block is marked as such, so a full one is written only when there is more behind it.
    while (this.#memoryBytes > BLOCK_BYTES) await this.#writeBlock(this.#file.handle, false);
  }

  /** Nothing is written after this. */
  async finish(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#writeBlock(this.#file.handle, true);
  }

  /** The bytes as they were written. Rejects with CLY_SPOOL_DAMAGED before a byte that was not. */
  async *read(): AsyncGenerator<Uint8Array> {
    this.#readers += 1;
    try {
      if (this.#file === undefined) yield* this.#memory;
      else yield* this.#readFile(this.#file.handle);
    } finally {
      this.#readers -= 1;
      await this.#removeIfUnwanted();
    }
  }

  /** Gone as soon as nobody reads it. */
  async discard(): Promise<void> {
    this.#isUnwanted = true;
    await this.#removeIfUnwanted();
  }

  async *#readFile(handle: FileHandle): AsyncGenerator<Uint8Array> {
    const sealed = Buffer.alloc(BLOCK_BYTES + TAG_BYTES);
    for (let index = 0; index < this.#blockCount; index += 1) {
      const { bytesRead } = await handle.read(sealed, 0, sealed.length, index * sealed.length);
      const isLast = index === this.#blockCount - 1;
      yield openBlock(this.#secret.key, { id: this.#secret.id, index, isLast }, sealed.subarray(0, bytesRead));
      collectYoung(index);
    }
  }

  #takeBlock(): Uint8Array {
    const all = Buffer.concat(this.#memory);
    const block = all.subarray(0, BLOCK_BYTES);
    const rest = all.subarray(block.length);
    this.#memory = rest.length === 0 ? [] : [rest];
    this.#memoryBytes = rest.length;
    return block;
  }

  async #writeBlock(handle: FileHandle, isLast: boolean): Promise<void> {
    const plain = this.#takeBlock();
    const sealed = sealBlock(this.#secret.key, { id: this.#secret.id, index: this.#blockCount, isLast }, plain);
    this.#blockCount += 1;
    try {
      for (let done = 0; done < sealed.length; ) {
        const { bytesWritten } = await handle.write(sealed, done);
        done += bytesWritten;
      }
    } catch (cause) {
      throw writeError(cause);
    }
    collectYoung(this.#blockCount);
  }

  async #removeIfUnwanted(): Promise<void> {
    if (!this.#isUnwanted || this.#readers > 0 || this.#isGone) return;
    this.#isGone = true;
    this.#secret.key.fill(0);
    this.#memory = [];
    this.#folder.release(this.#size);
    await this.#file?.handle.close().catch(() => {});
    if (this.#file !== undefined) await rm(this.#file.path, { force: true }).catch(() => {});
  }
}

function collectYoung(blockCount: number): void {
  if (blockCount % BLOCKS_A_COLLECTION === 0) globalThis.gc?.({ type: 'minor', execution: 'sync' });
}
