// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';

/** A transaction as a recorder put it into the log: when it committed, and when its last record was appended. */
export type Recorded = { readonly committedAtMs: number; readonly appendedAtMs: number };

export type RecordTailOptions = {
  readonly log: RecordLog;
  readonly topic: string;
  readonly partition: number;
  /** The transaction a record belongs to, and its commit's time by the database; undefined for what is none. */
  readonly read: (record: LogRecord) => Promise<{ readonly xid: string; readonly committedAtMs: number } | undefined>;
  /** Records of one transaction. */
  readonly recordsEach: number;
};

const DEADLINE_MS = 60_000;
const LOOK_EVERY_MS = 200;

/**
 * Reads what was appended since it looked last. While something is measured it is quiet, so that it costs nothing then: it
 * asks how far the log has come, and reads once that may be enough.
 */
export class RecordTail {
  readonly #options: RecordTailOptions;
  #offset = 0;

  constructor(options: RecordTailOptions) {
    this.#options = options;
  }

  /** Forgets what is there by now. */
  async skip(): Promise<void> {
    this.#offset = await this.#end();
  }

  /** Waits for as many whole transactions. Rejects when they do not come. */
  async take(count: number, deadlineMs: number): Promise<readonly Recorded[]> {
    const endMs = performance.now() + deadlineMs;
    const seen = new Map<string, { records: number; committedAtMs: number; appendedAtMs: number }>();
    const wholeAt = this.#offset + count * this.#options.recordsEach;
    while ((await this.#end()) < wholeAt && performance.now() < endMs) await pause(LOOK_EVERY_MS);
    for (;;) {
      for (const record of await this.#records()) await this.#add(record, seen);
      const whole = [...seen.values()].filter(({ records }) => records >= this.#options.recordsEach);
      if (whole.length >= count) return whole;
      if (performance.now() > endMs) {
        throw new Error(`${whole.length} of ${count} transactions came to ${this.#options.topic} in ${deadlineMs} ms`);
      }
      await pause(LOOK_EVERY_MS);
    }
  }

  async #add(
    record: LogRecord,
    seen: Map<string, { records: number; committedAtMs: number; appendedAtMs: number }>,
  ): Promise<void> {
    const found = await this.#options.read(record);
    if (found === undefined) return;
    const { xid, committedAtMs } = found;
    const records = (seen.get(xid)?.records ?? 0) + 1;
    seen.set(xid, { records, committedAtMs, appendedAtMs: record.appendTimeMs });
  }

  async #end(): Promise<number> {
    const { log, topic, partition } = this.#options;
    return (await log.endOffsets(topic, DEADLINE_MS))[partition] ?? 0;
  }

  async #records(): Promise<readonly LogRecord[]> {
    const { log, topic, partition } = this.#options;
    const end = await this.#end();
    if (end <= this.#offset) return [];
    const records: LogRecord[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const onBatch = (batch: { readonly records: readonly LogRecord[] }): void => {
      for (const record of batch.records) if (record.offset < end) records.push(record);
      if ((batch.records.at(-1)?.offset ?? -1) >= end - 1) resolve();
    };
    const assignments = [{ topic, partition, fromOffset: this.#offset }];
    const reader = await log.read({ name: 'bench', assignments, onBatch }, DEADLINE_MS);
    await promise;
    await reader.close();
    this.#offset = end;
    return records;
  }
}
