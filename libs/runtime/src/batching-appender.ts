// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { RecordLog } from '@clyra/core/ports/record-log';
import { type AppendedPosition, BatchingEntry, type EntrySettle } from './batching-appender-entry.ts';
import { BatchingLane, type LaneSettings, type Sealed } from './batching-appender-lane.ts';

export type BatchingAppenderOptions<Item> = {
  readonly log: Pick<RecordLog, 'appender'>;
  readonly clock: Clock;
  /** Names the appenders in the client's log. */
  readonly name: string;
  readonly topic: string;
  /**
   * `per-partition`: each partition has its own send in flight, so that one lost send cannot leave another
   * partition's records in doubt. `together`: one send carries all partitions, for records whose readers take the first
   * of several copies; when one fails, its partitions go on each by itself until they have nothing left to send.
   */
  readonly sends: 'per-partition' | 'together';
  /** Called once for each send, with its items in order; gives one record for each item. */
  readonly seal: LaneSettings<Item>['seal'];
  /** An upper bound for the bytes of the sealed record. */
  readonly sizeOf: (item: Item) => number;
  readonly limits?: Partial<BatchingLimits>;
  /** Called after a send while items wait, with when it began: the next one begins when this resolves, which is soon. */
  readonly rest?: (beganAtMs: number) => Promise<void>;
  /** Called after each attempt that failed and will be repeated. */
  readonly onTrouble?: (error: ClyraError, attemptCount: number) => void;
};

export type BatchingLimits = {
  /** One signature covers a send, and its inclusion proofs are bounded by this. */
  readonly sendItemsMax: number;
  /** Below Kafka's message.max.bytes of 1,048,588 by a margin for the framing of the batch. */
  readonly sendBytesMax: number;
  readonly queueItemsMax: number;
  readonly queueBytesMax: number;
  /**
   * How long one send may take, at first and at most: it doubles with each attempt. Short at first, since a lost answer
   * holds up everything behind it; longer later, so that a log which is only slow is not asked for ever.
   */
  readonly sendTimeoutMinMs: number;
  readonly sendTimeoutMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
};

const LIMITS: BatchingLimits = {
  sendItemsMax: 1_024,
  sendBytesMax: 900_000,
  queueItemsMax: 20_000,
  queueBytesMax: 64 * 1024 * 1024,
  sendTimeoutMinMs: 500,
  sendTimeoutMs: 4_000,
  retryMinMs: 50,
  retryMaxMs: 1_000,
};

/**
 * Collects items while a send is under way, and sends them together as the next one: at low load an item waits for
 * nothing, at high load the cost of a request and of a signature is shared. Items of a partition are stored in the
 * order in which they were added.
 */
export class BatchingAppender<Item> {
  readonly #options: BatchingAppenderOptions<Item>;
  readonly #limits: BatchingLimits;
  readonly #lanes = new Map<number | 'all', BatchingLane<Item>>();
  #heldCount = 0;
  #heldBytes = 0;
  #closed = false;

  constructor(options: BatchingAppenderOptions<Item>) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
  }

  /** Items that are waiting or under way. */
  get heldCount(): number {
    return this.#heldCount;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Resolves with the item's position once it is durable. Without a deadline it is tried for ever; with one it
   * rejects when that passes, with CLY_LOG_APPEND_NOT_SENT (certainly not in the log) or CLY_LOG_APPEND_UNKNOWN.
   * Rejects at once with CLY_LOG_QUEUE_FULL, CLY_LOG_QUEUE_CLOSED or CLY_LOG_ITEM_TOO_LARGE, and with what the log
   * or the seal rejects with where that is not to be retried.
   */
  enqueue(item: Item, partition: number, deadlineMs: number = Number.POSITIVE_INFINITY): Promise<AppendedPosition> {
    return new Promise((succeed, fail) => this.#add(item, { partition, deadlineMs, settle: { succeed, fail } }));
  }

  /** As `enqueue` without a deadline, for many small items: a promise for each, and its reactions, are what they cost most. */
  add(item: Item, partition: number, settle: EntrySettle): void {
    this.#add(item, { partition, deadlineMs: Number.POSITIVE_INFINITY, settle });
  }

  /** Takes nothing more, sends what it holds, and gives the rest up when the deadline passes. */
  async close(deadlineMs: number): Promise<void> {
    this.#closed = true;
    let cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(deadlineMs, resolve);
    });
    await Promise.race([this.#drained(), late]);
    const lanes = [...this.#lanes.values()];
    for (const lane of lanes) lane.stop();
    await Promise.race([Promise.all(lanes.map((lane) => lane.close())), late]);
    cancel();
  }

  /** Lanes may come while others drain. */
  async #drained(): Promise<void> {
    for (;;) {
      const busy = [...this.#lanes.values()].filter((lane) => !lane.isIdle);
      if (busy.length === 0) return;
      await Promise.all(busy.map((lane) => lane.drained()));
    }
  }

  #add(item: Item, wanted: { partition: number; deadlineMs: number; settle: EntrySettle }): void {
    const { partition } = wanted;
    const byteCount = this.#options.sizeOf(item);
    const refusal = this.#refusal(byteCount);
    if (refusal !== undefined) {
      wanted.settle.fail(refusal);
      return;
    }
    const lane = this.#laneFor(partition);
    const { clock } = this.#options;
    this.#heldCount += 1;
    this.#heldBytes += byteCount;
    const { deadlineMs, settle } = wanted;
    lane.add(new BatchingEntry({ item, partition, byteCount, deadlineMs, clock, lane, settle }));
  }

  #refusal(byteCount: number): ClyraError | undefined {
    const { sendBytesMax, queueItemsMax, queueBytesMax } = this.#limits;
    const { topic } = this.#options;
    if (this.#closed) {
      return new ClyraError('CLY_LOG_QUEUE_CLOSED', 'this process is stopping: ask another one', { retry: 'rejoin' });
    }
    if (byteCount > sendBytesMax) {
      const context = { topic, byteCount, sendBytesMax };
      return new ClyraError('CLY_LOG_ITEM_TOO_LARGE', 'the record does not fit into one send', {
        retry: 'never',
        context,
      });
    }
    if (this.#heldCount < queueItemsMax && this.#heldBytes + byteCount <= queueBytesMax) return undefined;
    const context = { topic, heldCount: this.#heldCount, heldBytes: this.#heldBytes };
    return new ClyraError('CLY_LOG_QUEUE_FULL', 'the log is slower than its writers: try again later', {
      retry: 'backoff',
      context,
    });
  }

  #laneFor(partition: number): BatchingLane<Item> {
    if (this.#options.sends === 'per-partition') return this.#lane(partition);
    const own = this.#lanes.get(partition);
    return own === undefined || own.isIdle ? this.#lane('all') : own;
  }

  #lane(key: number | 'all'): BatchingLane<Item> {
    const known = this.#lanes.get(key);
    if (known !== undefined) return known;
    const { log, name } = this.#options;
    const lane = new BatchingLane<Item>(this.#laneSettings(), log.appender(`${name}-${key}`));
    this.#lanes.set(key, lane);
    return lane;
  }

  #laneSettings(): LaneSettings<Item> {
    const { clock, topic, seal, rest, onTrouble = () => {} } = this.#options;
    const onReleased = (entry: BatchingEntry<Item>) => this.#release(entry.byteCount);
    const onTroubled: LaneSettings<Item>['onTroubled'] = (send, waiting) => this.#part(send, waiting);
    return { ...this.#limits, clock, topic, seal, rest, onTrouble, onReleased, onTroubled };
  }

  /** Each partition of a failed send goes on in its own lane, in order, and comes back when that lane is idle. */
  #part(send: Sealed<Item>, waiting: readonly BatchingEntry<Item>[]): void {
    for (const [partition, part] of Map.groupBy(send, ([entry]) => entry.partition)) {
      const lane = this.#lane(partition);
      lane.adopt(new Map(part));
      for (const entry of waiting) {
        if (entry.partition !== partition) continue;
        entry.lane = lane;
        lane.add(entry);
      }
    }
  }

  #release(byteCount: number): void {
    this.#heldCount -= 1;
    this.#heldBytes -= byteCount;
    assert(this.#heldCount >= 0 && this.#heldBytes >= 0, 'more was released than was held');
  }
}
