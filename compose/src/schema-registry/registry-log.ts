// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogAppender, LogReader, ReadBatch, RecordLog } from '@clyra/core/ports/record-log';
import { fromRecord, type RegistryEvent, toRecord } from './registry-records.ts';
import { RegistryState } from './registry-state.ts';

export const SCHEMAS_TOPIC = '_schemas';
const PARTITION = 0;
const READER = 'schema-registry';

export type RegistryLogOptions = {
  readonly log: RecordLog;
  readonly startDeadlineMs: number;
  /** For one write, until it was also read back. */
  readonly writeDeadlineMs: number;
  /** A record that cannot be understood, or the like: the registry must not go on. */
  readonly onFailure: (error: unknown) => void;
};

type Waiter = { readonly offset: number; readonly wake: () => void };

/** The one writer of `_schemas`. Changes take effect only when they come back from the log. */
export class RegistryLog {
  readonly state = new RegistryState();
  readonly #options: RegistryLogOptions;
  readonly #appender: LogAppender;
  #reader: LogReader | undefined;
  #nextOffset = 0;
  #isUncertain = false;
  #waiters: readonly Waiter[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: RegistryLogOptions) {
    this.#options = options;
    this.#appender = options.log.appender(READER);
  }

  /** Resolves when everything that was in the topic has been read. Rejects as RecordLog's calls do. */
  static async open(options: RegistryLogOptions): Promise<RegistryLog> {
    const { log, startDeadlineMs } = options;
    const registry = new RegistryLog(options);
    const [endOffset = 0] = await log.endOffsets(SCHEMAS_TOPIC, startDeadlineMs);
    const [startOffset = 0] = await log.startOffsets(SCHEMAS_TOPIC, startDeadlineMs);
    registry.#nextOffset = startOffset;
    registry.#reader = await log.read(
      {
        name: READER,
        assignments: [{ topic: SCHEMAS_TOPIC, partition: PARTITION, fromOffset: startOffset }],
        onBatch: (batch) => registry.#onBatch(batch),
      },
      startDeadlineMs,
    );
    await registry.#hasRead(endOffset, startDeadlineMs);
    return registry;
  }

  /**
   * Runs one change at a time: `decide` sees a state that holds everything written before. Rejects with
   * CLY_REGISTRY_STORE (retry: backoff) when it is not known whether the events were stored.
   */
  change<Value>(
    decide: (state: RegistryState) => { readonly events: readonly RegistryEvent[]; readonly value: Value },
  ): Promise<Value> {
    const turn = this.#turn.then(async () => {
      // After an append without an answer the state may lag behind the log: a marker is read back first.
      if (this.#isUncertain) await this.#store([{ kind: 'nothing' }]);
      const { events, value } = decide(this.state);
      if (events.length > 0) await this.#store(events);
      return value;
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#reader?.close();
    await this.#appender.close();
  }

  async #store(events: readonly RegistryEvent[]): Promise<void> {
    const records = events.map(toRecord);
    const deadlineMs = this.#options.writeDeadlineMs;
    this.#isUncertain = true;
    try {
      const [append] = await this.#appender.append(
        [{ topic: SCHEMAS_TOPIC, partition: PARTITION, records }],
        deadlineMs,
      );
      await this.#hasRead((append?.baseOffset ?? 0) + records.length, deadlineMs);
    } catch (cause) {
      throw new ClyraError('CLY_REGISTRY_STORE', 'the log did not confirm the change: ask again whether it was made', {
        retry: 'backoff',
        cause,
      });
    }
    this.#isUncertain = false;
  }

  #onBatch(batch: ReadBatch): void {
    try {
      for (const record of batch.records) {
        this.state.apply(fromRecord(record));
        this.#nextOffset = record.offset + 1;
      }
    } catch (error) {
      this.#options.onFailure(error);
      return;
    }
    const ready = this.#waiters.filter(({ offset }) => offset <= this.#nextOffset);
    this.#waiters = this.#waiters.filter(({ offset }) => offset > this.#nextOffset);
    for (const { wake } of ready) wake();
  }

  #hasRead(offset: number, deadlineMs: number): Promise<void> {
    if (offset <= this.#nextOffset) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        offset,
        wake: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new ClyraError('CLY_REGISTRY_STORE', `offset ${offset} was not read in time`, { retry: 'backoff' }));
      }, deadlineMs);
      this.#waiters = [...this.#waiters, waiter];
    });
  }
}
