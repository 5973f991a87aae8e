// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

export type HoldLimitParts = {
  readonly clock: Clock;
  /** The most that may ever wait. */
  readonly max: number;
  /** How long a caller is held, in milliseconds. */
  readonly holdMs: number;
};

/** So many may always wait: at 20 ms for a receipt, 800 a second. */
const LIMIT_MIN = 16;
/** A receipt that comes after this share of the hold is taken for a sign of too many who wait. */
const LATE_SHARE = 0.75;
const CUT_SHARE = 0.7;
/** What a receipt in time adds while the room is used; elsewhere it adds a whole place. */
const GROWTH_IN_USE = 1 / 8;

/**
 * How many callers may wait for their receipts at once: as many as get them in time. Where more come than can be
 * decided, those let in would all be decided too late, and each costs an outcome besides; so the limit falls by a share
 * when receipts come late, at most once a hold, and grows with those in time. When nobody waits the crowd is gone, and the
 * limit is what it was at first. Only receipts speak: while none comes at all, which is an outage and no crowd, it stays.
 */
export class HoldLimit {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #holdMs: number;
  #limit: number;
  #waiting = 0;
  #cutAtMs = Number.NEGATIVE_INFINITY;

  constructor({ clock, max, holdMs }: HoldLimitParts) {
    this.#clock = clock;
    this.#max = max;
    this.#holdMs = holdMs;
    this.#limit = max;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  isOpen(): boolean {
    return this.#waiting < this.limit;
  }

  enter(): void {
    this.#waiting += 1;
  }

  /** `waitedMs` is how long the receipt took; undefined, and none came. */
  leave(waitedMs: number | undefined): void {
    if (waitedMs !== undefined && waitedMs > this.#holdMs * LATE_SHARE) this.late();
    else if (waitedMs !== undefined) this.#grow();
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#limit = this.#max;
  }

  /** A receipt came late, perhaps for a caller who waits no more. */
  late(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#cutAtMs < this.#holdMs) return;
    this.#cutAtMs = nowMs;
    const used = Math.min(this.#limit, this.#waiting);
    this.#limit = Math.min(this.#max, Math.max(LIMIT_MIN, Math.floor(used * CUT_SHARE)));
  }

  #grow(): void {
    const growth = this.#waiting * 2 >= this.#limit ? GROWTH_IN_USE : 1;
    this.#limit = Math.min(this.#max, this.#limit + growth);
  }
}
