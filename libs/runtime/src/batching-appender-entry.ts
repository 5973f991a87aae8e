// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';

export type AppendedPosition = { readonly topic: string; readonly partition: number; readonly offset: number };

export type EntryOptions<Item> = {
  readonly item: Item;
  readonly partition: number;
  readonly byteCount: number;
  /** Infinity: never give up. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly lane: EntryLane<Item>;
};

/** Where an entry waits or is under way. */
export type EntryLane<Item> = { expire(entry: BatchingEntry<Item>): void };

/** One item on its way into the log. It is settled once: by its offset, by an error, or by its deadline. */
export class BatchingEntry<Item> {
  readonly item: Item;
  readonly partition: number;
  readonly byteCount: number;
  readonly deadlineAtMs: number;
  readonly appended: Promise<AppendedPosition>;
  /** Changes when its partition has trouble and gets a lane of its own. */
  lane: EntryLane<Item>;
  /** A send that carried it began, and was not refused for certain: only then may it be in the log. */
  maybeStored = false;
  #settled = false;
  #resolve: (position: AppendedPosition) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #cancelDeadline: () => void;

  constructor({ item, partition, byteCount, deadlineMs, clock, lane }: EntryOptions<Item>) {
    this.item = item;
    this.partition = partition;
    this.byteCount = byteCount;
    this.lane = lane;
    this.deadlineAtMs = clock.nowMs() + deadlineMs;
    this.appended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#cancelDeadline = Number.isFinite(deadlineMs)
      ? clock.after(deadlineMs, () => this.lane.expire(this))
      : () => {};
  }

  get settled(): boolean {
    return this.#settled;
  }

  succeed(position: AppendedPosition): void {
    if (this.#end()) this.#resolve(position);
  }

  fail(error: unknown): void {
    if (this.#end()) this.#reject(error);
  }

  /** Ends the wait for it, and says as much about where it is as is known. */
  giveUp(why: string): void {
    this.fail(
      this.maybeStored
        ? new ClyraError('CLY_LOG_APPEND_UNKNOWN', `${why}; the record may be in the log or not: ask the log`, {
            retry: 'backoff',
          })
        : new ClyraError('CLY_LOG_APPEND_NOT_SENT', `${why}; the record is not in the log: send it again`, {
            retry: 'backoff',
          }),
    );
  }

  #end(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#cancelDeadline();
    return true;
  }
}
