// SPDX-License-Identifier: Apache-2.0
import { parseRecord } from '@clyra/core/canonical/record';
import type { Folded } from '@clyra/core/enforcement/partition-fold';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, LogRecord, RecordLog } from '@clyra/core/ports/record-log';

export type QuarantineOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  readonly sendDeadlineMs: number;
};

const RECORD_BYTES_MAX = 65_536;
const RETRY_MS = 1_000;
const QUEUE_MAX = 1_000;

/** Copies poison to clyra.quarantine for people to look at. The evidence is the poisoned body; this is the specimen. */
export class QuarantineWriter {
  readonly #options: QuarantineOptions;
  readonly #appender: LogAppender;
  readonly #queue: Uint8Array[] = [];
  #busy = false;

  constructor(options: QuarantineOptions) {
    this.#options = options;
    this.#appender = options.log.appender('enforcer-quarantine');
  }

  write(record: LogRecord, folded: Folded): void {
    if (this.#queue.length >= QUEUE_MAX) {
      const context = { partition: record.partition, offset: record.offset };
      this.#options.logger.error('poison not copied: it stays at its place in clyra.changes', context);
      return;
    }
    const value = this.#options.codec.encode('QuarantineEnvelope', {
      record: (record.value ?? new Uint8Array()).subarray(0, RECORD_BYTES_MAX),
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      reason: parseRecord(folded.bytes)['reason'] as string,
    });
    this.#queue.push(value);
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      try {
        const records = [{ key: null, value: head }];
        await this.#appender.append(
          [{ topic: this.#options.topic, partition: 0, records }],
          this.#options.sendDeadlineMs,
        );
        this.#queue.shift();
      } catch (error) {
        this.#options.logger.warn('poison not yet quarantined, trying again', { error: String(error) });
        await sleep(this.#options.clock, RETRY_MS);
      }
    }
    this.#busy = false;
  }
}
