// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { LogAppender, OutgoingRecord, PartitionBatch } from '@clyra/core/ports/record-log';
import type { BatchingEntry } from './batching-appender-entry.ts';

export type LaneSettings<Item> = {
  readonly clock: Clock;
  readonly topic: string;
  readonly seal: (items: readonly Item[]) => Promise<readonly OutgoingRecord[]> | readonly OutgoingRecord[];
  readonly sendItemsMax: number;
  readonly sendBytesMax: number;
  readonly sendTimeoutMinMs: number;
  readonly sendTimeoutMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  readonly onTrouble: (error: ClyraError, attemptCount: number) => void;
  /** Called for each entry that is no longer held, settled or not. */
  readonly onReleased: (entry: BatchingEntry<Item>) => void;
  /**
   * Called for a send over several partitions that failed and may be repeated, with what waits behind it. Each partition
   * then goes on by itself, so that one whose broker is away does not hold up the others.
   */
  readonly onTroubled?: (send: Sealed<Item>, waiting: readonly BatchingEntry<Item>[]) => void;
  readonly rest?: ((beganAtMs: number) => Promise<void>) | undefined;
};

/** Entries with the records made of them: these bytes, and no others, are sent until they are acknowledged. */
export type Sealed<Item> = ReadonlyMap<BatchingEntry<Item>, OutgoingRecord>;

/** A queue with one send in flight. What is sealed for a send is sent again byte for byte until it is acknowledged. */
export class BatchingLane<Item> {
  readonly #settings: LaneSettings<Item>;
  readonly #appender: LogAppender;
  /** A list and no Set: the tables of a Set that is filled and emptied all the time keep what went through it. */
  #waiting: BatchingEntry<Item>[] = [];
  /** Sends that failed elsewhere, before everything that waits. */
  readonly #adopted: Sealed<Item>[] = [];
  #sending: readonly BatchingEntry<Item>[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(settings: LaneSettings<Item>, appender: LogAppender) {
    this.#settings = settings;
    this.#appender = appender;
  }

  add(entry: BatchingEntry<Item>): void {
    this.#waiting.push(entry);
    this.#running ??= this.#run();
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Goes on with what another lane sealed and could not send. */
  adopt(send: Sealed<Item>): void {
    for (const entry of send.keys()) entry.lane = this;
    this.#adopted.push(send);
    this.#running ??= this.#run();
  }

  /** An entry whose deadline has passed. If it is part of a sealed send it stays in it: one signature covers all. */
  expire(entry: BatchingEntry<Item>): void {
    const place = this.#waiting.indexOf(entry);
    // The send goes on for the others and carries this entry with it, whatever became of the attempts so far.
    const goesOn = place < 0 && this.#companions(entry).some((other) => !other.settled);
    if (goesOn) entry.maybeStored = true;
    if (place >= 0) this.#waiting.splice(place, 1);
    entry.giveUp('the deadline passed before the log acknowledged the record');
    if (place >= 0) this.#settings.onReleased(entry);
  }

  #companions(entry: BatchingEntry<Item>): readonly BatchingEntry<Item>[] {
    const send = this.#adopted.find((one) => one.has(entry));
    return [...(send?.keys() ?? this.#sending)].filter((other) => other !== entry);
  }

  /** Resolves once nothing is left to send. */
  async drained(): Promise<void> {
    await this.#running;
  }

  /** Gives up what is left, at once. */
  stop(): void {
    this.#stopped = true;
    const adopted = this.#adopted.splice(0).flatMap((send) => [...send.keys()]);
    for (const entry of [...this.#sending, ...adopted, ...this.#waiting]) entry.giveUp('the appender was closed');
    for (const entry of [...adopted, ...this.#waiting]) this.#settings.onReleased(entry);
    this.#waiting = [];
  }

  close(): Promise<void> {
    return this.#appender.close();
  }

  async #run(): Promise<void> {
    // Whatever is added in the same turn shares the first send.
    await Promise.resolve();
    while (this.#adopted.length > 0 || this.#waiting.length > 0) {
      const adopted = this.#adopted.shift();
      const batch = adopted === undefined ? this.#take() : [...adopted.keys()];
      this.#sending = batch;
      const startMs = this.#settings.clock.nowMs();
      const sealed = adopted ?? (await this.#retried(batch, () => this.#seal(batch)));
      if (sealed !== undefined) await this.#sendUntilSettled(batch, sealed);
      this.#sending = [];
      // What another lane has taken over is released there.
      for (const entry of batch) if (entry.lane === this) this.#settings.onReleased(entry);
      await this.#rest(startMs);
    }
    this.#running = undefined;
  }

  /** Under load what a request costs is shared by more items; after a quiet moment nothing waits. */
  async #rest(beganAtMs: number): Promise<void> {
    if (this.#waiting.length > 0 && !this.#stopped) await this.#settings.rest?.(beganAtMs);
  }

  /** As many as fit into one send, and at least one. */
  #take(): BatchingEntry<Item>[] {
    const { sendItemsMax, sendBytesMax } = this.#settings;
    let count = 0;
    let byteCount = 0;
    for (const entry of this.#waiting) {
      byteCount += entry.byteCount;
      if (count === sendItemsMax || (count > 0 && byteCount > sendBytesMax)) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #sendUntilSettled(batch: readonly BatchingEntry<Item>[], sealed: Sealed<Item>): Promise<void> {
    const { sendTimeoutMinMs, sendTimeoutMs, onTroubled } = this.#settings;
    const canPart = onTroubled !== undefined && new Set(batch.map(({ partition }) => partition)).size > 1;
    let parted = false;
    const appends = await this.#retried(batch, async (attemptCount) => {
      const timeoutMs = Math.min(sendTimeoutMinMs * 2 ** Math.min(attemptCount - 1, 16), sendTimeoutMs);
      try {
        return await this.#append(sealed, Math.min(timeoutMs, this.#remainingMs(batch)));
      } catch (error) {
        if (!canPart || this.#stopped || !isRepeatable(error)) throw error;
        this.#settings.onTrouble(error, attemptCount);
        parted = true;
        return [];
      }
    });
    if (parted) onTroubled?.(sealed, this.#leave(batch));
    if (appends === undefined) return;
    for (const { partition, entries, baseOffset } of appends) {
      for (const [index, entry] of entries.entries()) {
        entry.succeed({ topic: this.#settings.topic, partition, offset: baseOffset + index });
      }
    }
  }

  /** What waits for the partitions of a send, in order; it waits here no longer. */
  #leave(batch: readonly BatchingEntry<Item>[]): BatchingEntry<Item>[] {
    const partitions = new Set(batch.map(({ partition }) => partition));
    const leaving = this.#waiting.filter(({ partition }) => partitions.has(partition));
    this.#waiting = this.#waiting.filter(({ partition }) => !partitions.has(partition));
    return leaving;
  }

  async #seal(batch: readonly BatchingEntry<Item>[]): Promise<Sealed<Item>> {
    const records = await this.#settings.seal(batch.map(({ item }) => item));
    assert(records.length === batch.length, `sealed ${records.length} records for ${batch.length} items`);
    return new Map(batch.map((entry, index) => [entry, records[index] as OutgoingRecord]));
  }

  async #append(sealed: Sealed<Item>, timeoutMs: number) {
    const { topic } = this.#settings;
    const batch = [...sealed.keys()];
    const byPartition = [...Map.groupBy(batch, ({ partition }) => partition)];
    const batches: PartitionBatch[] = byPartition.map(([partition, entries]) => ({
      topic,
      partition,
      records: entries.map((entry) => sealed.get(entry) as OutgoingRecord),
    }));
    const wasMaybeStored = batch.some(({ maybeStored }) => maybeStored);
    for (const entry of batch) entry.maybeStored = true;
    try {
      const appends = await this.#appender.append(batches, timeoutMs);
      return byPartition.map(([partition, entries]) => {
        const append = appends.find((one) => one.topic === topic && one.partition === partition);
        assert(append !== undefined, `the log acknowledged nothing for ${topic}/${partition}`);
        return { partition, entries, baseOffset: append.baseOffset };
      });
    } catch (error) {
      const refused = error instanceof ClyraError && error.code === 'CLY_LOG_APPEND_REFUSED';
      if (refused && !wasMaybeStored) for (const entry of batch) entry.maybeStored = false;
      throw error;
    }
  }

  /** Repeats a step while anybody waits for it. undefined: every entry of the batch is settled otherwise. */
  async #retried<T>(
    batch: readonly BatchingEntry<Item>[],
    step: (attemptCount: number) => Promise<T>,
  ): Promise<T | undefined> {
    const { clock, retryMinMs, retryMaxMs, onTrouble } = this.#settings;
    for (let attemptCount = 1; this.#isAwaited(batch); attemptCount += 1) {
      try {
        return await step(attemptCount);
      } catch (error) {
        if (!isRepeatable(error)) {
          for (const entry of batch) entry.fail(error);
          return undefined;
        }
        onTrouble(error, attemptCount);
        const waitMs = Math.min(retryMinMs * 2 ** Math.min(attemptCount - 1, 16), retryMaxMs);
        if (this.#isAwaited(batch)) await sleep(clock, Math.min(waitMs, this.#remainingMs(batch)));
      }
    }
    return undefined;
  }

  #isAwaited(batch: readonly BatchingEntry<Item>[]): boolean {
    return !this.#stopped && batch.some(({ settled }) => !settled);
  }

  /** Until the last of the deadlines; at least 1, since an entry that is still awaited gets its chance. */
  #remainingMs(batch: readonly BatchingEntry<Item>[]): number {
    const lastMs = batch.reduce((last, { deadlineAtMs }) => Math.max(last, deadlineAtMs), 0);
    return Math.max(1, lastMs - this.#settings.clock.nowMs());
  }
}

function isRepeatable(error: unknown): error is ClyraError {
  return error instanceof ClyraError && error.retry !== 'never';
}
