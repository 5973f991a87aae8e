// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { checkPrefix, segmentsOf } from '@clyra/core/ports/blob-name';
import { BLOB_PIECE_BYTES_MAX, type BlobStore, missingBlob } from '@clyra/core/ports/blob-store';

export type BlobOperation = 'put' | 'get' | 'read' | 'has' | 'list';

/** The blob store of the simulation: the same contract as the one on a disk, and it can be made to fail. */
export class MemoryBlobStore implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #before: (operation: BlobOperation, name: string) => void | Promise<void>;

  /** `before` runs ahead of each operation, of a reading ahead of each piece; what it throws is what the operation rejects with, with no effect. */
  constructor(before: (operation: BlobOperation, name: string) => void | Promise<void> = () => {}) {
    this.#before = before;
  }

  async put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    segmentsOf(name);
    await this.#before('put', name);
    const bytes = await collect(content);
    const found = this.#blobs.get(name);
    if (found !== undefined && Buffer.compare(found, bytes) !== 0) {
      throw new ClyraError('CLY_BLOB_CONFLICT', `blob ${name} exists with other bytes; blobs are never replaced`, {
        retry: 'never',
        context: { name },
      });
    }
    this.#blobs.set(name, bytes);
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    segmentsOf(name);
    await this.#before('get', name);
    const found = this.#blobs.get(name);
    return found === undefined ? undefined : Uint8Array.from(found);
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    segmentsOf(name);
    await this.#before('read', name);
    const found = this.#blobs.get(name);
    if (found === undefined) throw missingBlob(name);
    for (let at = 0; at < found.length; at += BLOB_PIECE_BYTES_MAX) {
      if (at > 0) await this.#before('read', name);
      yield Uint8Array.from(found.subarray(at, at + BLOB_PIECE_BYTES_MAX));
    }
  }

  async has(name: string): Promise<boolean> {
    segmentsOf(name);
    await this.#before('has', name);
    return this.#blobs.has(name);
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkPrefix(prefix);
    await this.#before('list', prefix);
    return [...this.#blobs.keys()].filter((name) => name.startsWith(prefix)).toSorted();
  }
}

async function collect(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (content instanceof Uint8Array) return Uint8Array.from(content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}
