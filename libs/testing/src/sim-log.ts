// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogAppender, LogReader, LogRecord, ReadRequest, RecordLog } from '@clyra/core/ports/record-log';
import { type Life, SimAppender } from './sim-appender.ts';
import { SimBroker, type SimLogFaults, type SimLogOptions, type SimRecord } from './sim-broker.ts';
import { SimReader } from './sim-reader.ts';

export type { SimLogFaults, SimLogOptions } from './sim-broker.ts';

/** One process's connection to the simulated log, so that a simulation can kill the process and not the log. */
export class SimLogClient implements RecordLog {
  readonly #broker: SimBroker;
  readonly #life: Life = { ended: false };
  readonly #readers = new Set<SimReader>();

  constructor(broker: SimBroker) {
    this.#broker = broker;
  }

  appender(name: string): LogAppender {
    return new SimAppender(this.#broker, name, this.#life);
  }

  async read(request: ReadRequest, deadlineMs: number): Promise<LogReader> {
    const reader = new SimReader(this.#broker, request, this.#life);
    this.#readers.add(reader);
    return reader.start(deadlineMs);
  }

  endOffsets(topic: string, deadlineMs: number): Promise<readonly number[]> {
    return this.#ask(topic, deadlineMs, () => this.#broker.partitionsOf(topic)?.map(({ endOffset }) => endOffset));
  }

  startOffsets(topic: string, deadlineMs: number): Promise<readonly number[]> {
    return this.#ask(topic, deadlineMs, () => this.#broker.partitionsOf(topic)?.map(({ startOffset }) => startOffset));
  }

  async readLast(topic: string, partition: number, deadlineMs: number): Promise<LogRecord | undefined> {
    const answer = await this.#ask(topic, deadlineMs, () => {
      const place = this.#broker.partition(topic, partition);
      return place === undefined ? undefined : { last: place.records.at(-1) };
    });
    return answer.last;
  }

  /** The process dies: nothing of it settles or is called again; what it was sending may still arrive. */
  crash(): void {
    this.#life.ended = true;
    for (const reader of this.#readers) this.#broker.listeners.delete(reader);
  }

  /** Cuts the connections of all its readers; they come back by themselves. */
  disconnectReaders(): void {
    for (const reader of this.#readers) reader.disconnect();
  }

  /** `answer` gives undefined for what does not exist (yet). */
  #ask<T>(topic: string, deadlineMs: number, answer: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      let ended = false;
      const end = (settle: () => void) => {
        if (ended || this.#life.ended) return;
        ended = true;
        cancel();
        settle();
      };
      const error = new ClyraError('CLY_LOG_UNREACHABLE', `the simulated log did not answer about ${topic} in time`, {
        retry: 'backoff',
        context: { topic },
      });
      const cancel = this.#broker.clock.after(deadlineMs, () => end(() => reject(error)));
      this.#broker.reach(() => {
        const found = answer();
        if (found !== undefined) this.#broker.reach(() => end(() => resolve(found)));
      });
    });
  }
}

/**
 * The record log in memory, on a virtual clock and under a seed, with the faults a real one has. It holds the same
 * contract as the Kafka adapter; the shared suite keeps it honest. It is also a client of itself.
 */
export class SimLog extends SimLogClient {
  readonly #broker: SimBroker;

  constructor(options: SimLogOptions) {
    const broker = new SimBroker(options);
    super(broker);
    this.#broker = broker;
  }

  /** A client of its own for one process. */
  connect(): SimLogClient {
    return new SimLogClient(this.#broker);
  }

  createTopic(topic: string, partitionCount: number): void {
    this.#broker.createTopic(topic, partitionCount);
  }

  /** What is stored, for oracles: no time passes and no fault applies. */
  recordsOf(topic: string, partition: number): readonly LogRecord[] {
    return this.#broker.partition(topic, partition)?.records ?? [];
  }

  /** Stores at once, as a writer outside of the simulation; returns the first offset. */
  put(topic: string, partition: number, records: readonly SimRecord[]): number {
    return this.#broker.store({ topic, partition, records });
  }

  setFaults(faults: Partial<SimLogFaults>): void {
    this.#broker.setFaults(faults);
  }

  setClockSkew(skewMs: number): void {
    this.#broker.setClockSkew(skewMs);
  }

  freeze(): void {
    this.#broker.freeze();
  }

  thaw(): void {
    this.#broker.thaw();
  }

  deleteBefore(topic: string, partition: number, offset: number): void {
    this.#broker.deleteBefore(topic, partition, offset);
  }

  compact(topic: string, partition: number): void {
    this.#broker.compact(topic, partition);
  }
}
