// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';

export type AppendedPosition = { readonly topic: string; readonly partition: number; readonly offset: number };

/** Who waits for an entry; one of both is called, once, and must not throw. */
export type EntrySettle = { succeed(position: AppendedPosition): void; fail(error: unknown): void };

export type EntryOptions<Item> = {
  readonly item: Item;
  readonly partition: number;
  readonly byteCount: number;
  /** Infinity: never give up. */
  readonly deadlineMs: number;
  readonly clock: Clock;
  readonly lane: EntryLane<Item>;
  readonly settle: EntrySettle;
};

/** Where an entry waits or is under way. */
export type EntryLane<Item> = { expire(entry: BatchingEntry<Item>): void };

/** One item on its way into the log. It is settled once: by its offset, by an error, or by its deadline. */
export class BatchingEntry<Item> {
  readonly item: Item;
  readonly partition: number;
  readonly byteCount: number;
  readonly deadlineAtMs: number;
  /** Changes when its partition has trouble and gets a lane of its own. */
  lane: EntryLane<Item>;
  /** A send that carried it began, and was not refused for certain: only then may it be in the log. */
  maybeStored = false;
  #settled = false;
  readonly #settle: EntrySettle;
  readonly #cancelDeadline: (() => void) | undefined;

  constructor({ item, partition, byteCount, deadlineMs, clock, lane, settle }: EntryOptions<Item>) {
    this.item = item;
    this.partition = partition;
    this.byteCount = byteCount;
    this.lane = lane;
    this.#settle = settle;
    const isBounded = Number.isFinite(deadlineMs);
    this.deadlineAtMs = isBounded ? clock.nowMs() + deadlineMs : Number.POSITIVE_INFINITY;
    this.#cancelDeadline = isBounded ? clock.after(deadlineMs, () => this.lane.expire(this)) : undefined;
  }

  get settled(): boolean {
    return this.#settled;
  }

  succeed(position: AppendedPosition): void {
    if (this.#end()) this.#settle.succeed(position);
  }

  fail(error: unknown): void {
    if (this.#end()) this.#settle.fail(error);
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
    this.#cancelDeadline?.();
    return true;
  }
}
