// SPDX-License-Identifier: Apache-2.0
import type { LogRecord } from '@clyra/core/ports/record-log';

export type QueueLimits = { readonly recordsMax: number; readonly bytesMax: number };

/**
 * Between a reader, which only enqueues, and a loop that takes one record after the other. Past a limit it asks for
 * the reader to be paused, so that it holds at most the limit and what the reader had under way.
 */
export class RecordQueue {
  readonly #limits: QueueLimits;
  readonly #onPressure: (high: boolean) => void;
  #records: LogRecord[] = [];
  #head = 0;
  #bytes = 0;
  #pressed = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(limits: QueueLimits, onPressure: (high: boolean) => void) {
    this.#limits = limits;
    this.#onPressure = onPressure;
  }

  get count(): number {
    return this.#records.length - this.#head;
  }

  push(records: readonly LogRecord[]): void {
    if (this.#closed) return;
    for (const record of records) {
      this.#records.push(record);
      this.#bytes += sizeOf(record);
    }
    if (!this.#pressed && (this.count > this.#limits.recordsMax || this.#bytes > this.#limits.bytesMax)) {
      this.#pressed = true;
      this.#onPressure(true);
    }
    this.#wake?.();
  }

  peek(): LogRecord | undefined {
    return this.#records[this.#head];
  }

  shift(): LogRecord | undefined {
    const record = this.#records[this.#head];
    if (record === undefined) return undefined;
    this.#head += 1;
    this.#bytes -= sizeOf(record);
    if (this.#head > 1_024 || this.#head === this.#records.length) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
    const low = this.count < this.#limits.recordsMax / 2 && this.#bytes < this.#limits.bytesMax / 2;
    if (this.#pressed && low) {
      this.#pressed = false;
      this.#onPressure(false);
    }
    return record;
  }

  /** The next record, as soon as there is one; undefined once the queue is closed. For one waiter. */
  async next(): Promise<LogRecord | undefined> {
    while (this.count === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#closed ? undefined : this.shift();
  }

  close(): void {
    this.#closed = true;
    this.#records = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#wake?.();
  }
}

function sizeOf(record: LogRecord): number {
  return (record.value?.length ?? 0) + (record.key?.length ?? 0);
}
