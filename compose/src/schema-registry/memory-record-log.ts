// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogRecord, OutgoingRecord, ReadRequest, RecordLog } from '@clyra/core/ports/record-log';

/** One topic partition in memory, for the registry's own tests: appends come back to the reader at once. */
export class MemoryRecordLog implements RecordLog {
  readonly records: LogRecord[] = [];
  /** The next append is stored, and its answer lost. */
  loseNextAnswer = false;
  readonly #readers = new Set<ReadRequest>();

  appender(): ReturnType<RecordLog['appender']> {
    return {
      append: async (batches) => {
        const isLost = this.loseNextAnswer;
        this.loseNextAnswer = false;
        const baseOffset = this.records.length;
        for (const { records } of batches) this.#store(records);
        if (isLost) throw new ClyraError('CLY_LOG_APPEND_UNKNOWN', 'no answer', { retry: 'backoff' });
        return batches.map(({ topic, partition }) => ({ topic, partition, baseOffset }));
      },
      close: async () => {},
    };
  }

  async read(request: ReadRequest): ReturnType<RecordLog['read']> {
    this.#readers.add(request);
    this.#deliver(request, this.records);
    return { pause: () => {}, resume: () => {}, close: async () => void this.#readers.delete(request) };
  }

  async endOffsets(): Promise<readonly number[]> {
    return [this.records.length];
  }

  async startOffsets(): Promise<readonly number[]> {
    return [0];
  }

  async readLast(): Promise<LogRecord | undefined> {
    return this.records.at(-1);
  }

  #store(outgoing: readonly OutgoingRecord[]): void {
    const stored = outgoing.map((record, index) => ({
      ...record,
      topic: '_schemas',
      partition: 0,
      offset: this.records.length + index,
      appendTimeMs: 0,
    }));
    this.records.push(...stored);
    for (const reader of this.#readers) this.#deliver(reader, stored);
  }

  #deliver(request: ReadRequest, records: readonly LogRecord[]): void {
    if (records.length === 0) return;
    request.onBatch({ topic: '_schemas', partition: 0, records: [...records], highWatermark: this.records.length });
  }
}
