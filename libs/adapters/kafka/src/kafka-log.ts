// SPDX-License-Identifier: Apache-2.0
import type { LogAppender, LogReader, LogRecord, ReadRequest, RecordLog } from '@clyra/core/ports/record-log';
import { KafkaAppender } from './kafka-appender.ts';
import { type KafkaOptions, type KafkaSettings, kafkaSettings } from './kafka-options.ts';
import { KafkaQueries } from './kafka-queries.ts';
import { KafkaReader } from './kafka-reader.ts';

type Closable = { readonly closed: boolean; close(): Promise<void> };

/** The record log on Apache Kafka. */
export class KafkaLog implements RecordLog {
  readonly #settings: KafkaSettings;
  readonly #queries: KafkaQueries;
  readonly #open = new Set<Closable>();

  constructor(options: KafkaOptions) {
    this.#settings = kafkaSettings(options);
    this.#queries = new KafkaQueries(this.#settings);
  }

  appender(name: string): LogAppender {
    return this.#kept(new KafkaAppender(this.#settings, name));
  }

  /** Also rejects with CLY_LOG_TRUNCATED when the log ends before one of the positions. */
  async read(request: ReadRequest, deadlineMs: number): Promise<LogReader> {
    return this.#kept(await KafkaReader.start(this.#settings, request, deadlineMs));
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

  /** Closes every appender and reader that came from here and is still open. */
  async close(): Promise<void> {
    this.#queries.close();
    await Promise.all([...this.#open].map((one) => one.close()));
  }

  #kept<T extends Closable>(part: T): T {
    for (const one of this.#open) if (one.closed) this.#open.delete(one);
    this.#open.add(part);
    return part;
  }
}
