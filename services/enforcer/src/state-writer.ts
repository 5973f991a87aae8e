// SPDX-License-Identifier: Apache-2.0
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';

const RETRY_MS = 500;
const QUEUE_MAX = 64;

/**
 * Writes states of cuts to the blob store, in order, beside the fold. A state that cannot be written is tried again;
 * should the queue fill up, the oldest is left to the next start, which folds the same cut and writes it then:
 * a bundle that needs it waits.
 */
export class StateWriter {
  readonly #options: { readonly blobs: BlobStore; readonly clock: Clock; readonly logger: Logger };
  readonly #queue: { readonly name: string; readonly bytes: Uint8Array }[] = [];
  #busy = false;

  constructor(options: { readonly blobs: BlobStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#options = options;
  }

  write(name: string, bytes: Uint8Array): void {
    if (this.#queue.length >= QUEUE_MAX) {
      const left = this.#queue.shift();
      this.#options.logger.error('state not written, the next start writes it', { name: left?.name });
    }
    this.#queue.push({ name, bytes });
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      try {
        await this.#options.blobs.put(head.name, head.bytes);
        if (this.#queue[0] === head) this.#queue.shift();
      } catch (error) {
        this.#options.logger.warn('state not written, trying again', { name: head.name, error: String(error) });
        await sleep(this.#options.clock, RETRY_MS);
      }
    }
    this.#busy = false;
  }
}
