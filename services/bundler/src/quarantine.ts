// SPDX-License-Identifier: Apache-2.0
import type { LogAppender, LogRecord } from '@clyra/core/ports/record-log';
import type { Persistence } from '@clyra/runtime/persistence';
import type { BundlerOptions } from './bundler-options.ts';

const RECORD_BYTES_MAX = 65_536;

export type QuarantineOptions = {
  readonly bundler: BundlerOptions;
  readonly appender: LogAppender;
  readonly persistence: Persistence;
  readonly sendDeadlineMs: number;
};

/** Puts records that can enter no log aside, with the reason; returns when the copy is durable. */
export class Quarantine {
  readonly #options: QuarantineOptions;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  async put(record: LogRecord, reason: string): Promise<void> {
    const { bundler, appender, persistence, sendDeadlineMs } = this.#options;
    const { topic, partition, offset } = record;
    bundler.logger.error('record put into quarantine', { topic, partition, offset, reason });
    const specimen = (record.value ?? new Uint8Array()).subarray(0, RECORD_BYTES_MAX);
    const value = bundler.codec.encode('QuarantineEnvelope', { record: specimen, topic, partition, offset, reason });
    const batches = [{ topic: bundler.topics.quarantine, partition: 0, records: [{ key: null, value }] }];
    await persistence.until('quarantine', () => appender.append(batches, sendDeadlineMs));
  }
}
