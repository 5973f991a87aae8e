// SPDX-License-Identifier: Apache-2.0
import type { LogAppender, LogReader, LogRecord, ReadRequest, RecordLog } from '@clyra/core/ports/record-log';
import { KafkaAppender } from './kafka-appender.ts';
import { type KafkaOptions, type KafkaSettings, kafkaSettings } from './kafka-options.ts';
import { KafkaQueries } from './kafka-queries.ts';
import { KafkaReader } from './kafka-reader.ts';

/** The record log on Apache Kafka. Appenders and readers are closed by their owners, the questions' session here. */
export class KafkaLog implements RecordLog {
  readonly #settings: KafkaSettings;
  readonly #queries: KafkaQueries;

  constructor(options: KafkaOptions) {
    this.#settings = kafkaSettings(options);
    this.#queries = new KafkaQueries(this.#settings);
  }

  appender(name: string): LogAppender {
    return new KafkaAppender(this.#settings, name);
  }

  /** Also rejects with CLY_LOG_TRUNCATED when the log ends before one of the positions. */
  read(request: ReadRequest, deadlineMs: number): Promise<LogReader> {
    return KafkaReader.start(this.#settings, request, deadlineMs);
  }

  async endOffsets(topic: string, deadlineMs: number): Promise<readonly number[]> {
    const ranges = await this.#queries.ranges(topic, deadlineMs);
    return ranges.map(({ endOffset }) => endOffset);
  }

  async startOffsets(topic: string, deadlineMs: number): Promise<readonly number[]> {
    const ranges = await this.#queries.ranges(topic, deadlineMs);
    return ranges.map(({ startOffset }) => startOffset);
  }

  readLast(topic: string, partition: number, deadlineMs: number): Promise<LogRecord | undefined> {
    return this.#queries.last(topic, partition, deadlineMs);
  }

  async close(): Promise<void> {
    this.#queries.close();
  }
}
