// SPDX-License-Identifier: Apache-2.0
import type { LogAppender, LogRecord } from '@clyra/core/ports/record-log';
import type { BundlerOptions } from './bundler-options.ts';
import type { Persistence } from './persistence.ts';

const RECORD_BYTES_MAX = 65_536;

/** Puts records that can enter no log aside, with the reason; returns when the copy is durable. */
export class Quarantine {
  readonly #options: BundlerOptions;
  readonly #appender: LogAppender;
  readonly #persistence: Persistence;
  readonly #sendDeadlineMs: number;

  constructor(options: BundlerOptions, persistence: Persistence, sendDeadlineMs: number) {
    this.#options = options;
    this.#persistence = persistence;
    this.#sendDeadlineMs = sendDeadlineMs;
    this.#appender = options.log.appender('bundler-quarantine');
  }

  async put(record: LogRecord, reason: string): Promise<void> {
    const { codec, topics, logger } = this.#options;
    const { topic, partition, offset } = record;
    logger.error('record put into quarantine', { topic, partition, offset, reason });
    const specimen = (record.value ?? new Uint8Array()).subarray(0, RECORD_BYTES_MAX);
    const value = codec.encode('QuarantineEnvelope', { record: specimen, topic, partition, offset, reason });
    const batches = [{ topic: topics.quarantine, partition: 0, records: [{ key: null, value }] }];
    await this.#persistence.until('quarantine', () => this.#appender.append(batches, this.#sendDeadlineMs));
  }

  close(): Promise<void> {
    return this.#appender.close();
  }
}
