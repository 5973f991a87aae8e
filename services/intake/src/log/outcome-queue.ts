// SPDX-License-Identifier: Apache-2.0

import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Outcome, ResponseFact } from '@clyra/core/change/change-body';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { ChangePublisher } from './change-publisher.ts';
import type { ChangeWriter, OutgoingChange } from './change-writer.ts';

export type OutcomeLimits = {
  /** Outcomes not yet durable, and the age of the oldest in milliseconds, from which on nothing is admitted. */
  readonly countMax: number;
  readonly ageMsMax: number;
};

export type OutcomeReport = {
  readonly partition: number;
  readonly tenant: string;
  readonly of: string;
  readonly outcome: Outcome;
  readonly upstreamStatus?: number;
  readonly detail?: string;
  readonly response?: ResponseFact;
};

export type OutcomeParts = {
  readonly publisher: ChangePublisher;
  readonly writer: ChangeWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: OutcomeLimits;
};

const RETRY_PAUSE_MS = 200;
/** Nobody is held for outcomes, and each send has its price: they go with the next change, or after this long without one. */
const LINGER_MS = 25;

/**
 * Outcomes on their way to the log. None is dropped: each is sent until it is durable, and while they cannot drain,
 * `isOpen` is false and no change is admitted that would add another. The admitted ones bound the queue.
 */
export class OutcomeQueue {
  readonly #parts: OutcomeParts;
  /** Since when each waits, oldest first. */
  readonly #waiting = new Map<string, number>();
  readonly #gathered: OutgoingChange[] = [];
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(parts: OutcomeParts) {
    this.#parts = parts;
    parts.publisher.accompany(() => this.#release());
  }

  get size(): number {
    return this.#waiting.size;
  }

  isOpen(): boolean {
    if (this.#waiting.size >= this.#parts.limits.countMax) return false;
    const oldest = this.#waiting.values().next();
    return oldest.done === true || this.#parts.clock.nowMs() - oldest.value <= this.#parts.limits.ageMsMax;
  }

  report(report: OutcomeReport): void {
    const change = this.#parts.writer.write({
      partition: report.partition,
      tenant: report.tenant,
      kind: 'change.outcome',
      members: {
        of: report.of,
        outcome: report.outcome,
        ...(report.upstreamStatus === undefined ? {} : { upstream_status: report.upstreamStatus }),
        ...(report.detail === undefined ? {} : { detail: report.detail }),
        ...(report.response === undefined ? {} : { response: report.response as unknown as JsonObject }),
      },
    });
    this.#waiting.set(change.eventId, this.#parts.clock.nowMs());
    this.#gathered.push(change);
    this.#cancelTimer ??= this.#parts.clock.after(LINGER_MS, () => this.#release());
  }

  /** Resolves when the queue is empty, or false after `deadlineMs`: those changes become unknown by the new epoch. */
  async drain(deadlineMs: number): Promise<boolean> {
    const endMs = this.#parts.clock.nowMs() + deadlineMs;
    while (this.#waiting.size > 0 && this.#parts.clock.nowMs() < endMs) await sleep(this.#parts.clock, 10);
    this.#closed = true;
    return this.#waiting.size === 0;
  }

  #release(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (const change of this.#gathered.splice(0)) void this.#deliver(change);
  }

  async #deliver(change: OutgoingChange): Promise<void> {
    while (!this.#closed) {
      if ((await this.#parts.publisher.publish(change)) === 'stored') {
        this.#waiting.delete(change.eventId);
        return;
      }
      this.#parts.logger.error('an outcome could not be sent and is sent again', { event_id: change.eventId });
      await sleep(this.#parts.clock, RETRY_PAUSE_MS);
    }
  }
}
