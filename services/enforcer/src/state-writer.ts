// SPDX-License-Identifier: Apache-2.0
import type { StateImage } from '@clyra/core/enforcement/state-image';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';

const RETRY_MS = 500;
const QUEUE_MAX = 64;
/** With more states than this waiting there is no time to pause. */
const QUEUE_CALM_MAX = 16;
/** Some ten kilobytes: the fold of the partitions goes on between two slices. */
const SLICE_LINES = 250;
/**
 * Only a bundle waits for a state, and it can. Tenants that are cut together have some hundred slices, which one after
 * the other would take a core from who waits for a receipt.
 */
const SLICE_PAUSE_MS = 3;

/**
 * Writes states of cuts to the blob store, in order, beside the fold. A state that cannot be written is tried again;
 * should the queue fill up, the oldest that waits is left to the next start, which folds the same cut and writes it then:
 * a bundle that needs it waits.
 */
export class StateWriter {
  readonly #options: { readonly blobs: BlobStore; readonly clock: Clock; readonly logger: Logger };
  readonly #queue: { readonly name: string; readonly image: StateImage }[] = [];
  #busy = false;

  constructor(options: { readonly blobs: BlobStore; readonly clock: Clock; readonly logger: Logger }) {
    this.#options = options;
  }

  write(name: string, image: StateImage): void {
    if (this.#queue.length >= QUEUE_MAX) {
      // The first is under way.
      const [left] = this.#queue.splice(1, 1);
      left?.image.discard();
      this.#options.logger.error('state not written, the next start writes it', { name: left?.name });
    }
    this.#queue.push({ name, image });
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      try {
        await this.#options.blobs.put(head.name, this.#slices(head.image));
        if (this.#queue[0] === head) this.#queue.shift();
      } catch (error) {
        this.#options.logger.warn('state not written, trying again', { name: head.name, error: String(error) });
        await sleep(this.#options.clock, RETRY_MS);
      }
    }
    this.#busy = false;
  }

  async *#slices(image: StateImage): AsyncIterable<Uint8Array> {
    let slice: string[] = [];
    for (const lines of image) {
      for (const line of lines) {
        slice.push(line);
        if (slice.length < SLICE_LINES) continue;
        yield Buffer.from(slice.join(''), 'utf8');
        slice = [];
        await sleep(this.#options.clock, this.#queue.length > QUEUE_CALM_MAX ? 0 : SLICE_PAUSE_MS);
      }
    }
    if (slice.length > 0) yield Buffer.from(slice.join(''), 'utf8');
  }
}
