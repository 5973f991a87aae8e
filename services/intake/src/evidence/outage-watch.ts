// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { EvidenceSender } from './evidence-sender.ts';

export type Refused = {
  readonly tenant: string;
  readonly partition: number;
  /** `log`: the change could not be stored in time. `enforcer`: it was stored, and nobody answered. */
  readonly component: 'log' | 'enforcer';
  readonly cause: `CLY_${string}`;
  /** When the change was admitted, in milliseconds. */
  readonly failedAtMs: number;
};

export type OutageParts = { readonly clock: Clock; readonly sender: Pick<EvidenceSender, 'send'> };

type Outage = Refused & {
  readonly detectedAtMs: number;
  refusedCount: number;
  restoredAtMs: number | undefined;
  cancelTimer: () => void;
};

/** An outage that comes back sooner is the same one. */
const QUIET_MS = 5_000;

/**
 * Of each tenant the time in which changes were refused because nobody decided them. An outage is over with the first
 * receipt after its last refusal; it is written down when none came back for a while.
 */
export class OutageWatch {
  readonly #parts: OutageParts;
  readonly #outages = new Map<string, Outage>();

  constructor(parts: OutageParts) {
    this.#parts = parts;
  }

  /** Outages that are not written down yet. */
  get openCount(): number {
    return this.#outages.size;
  }

  refused(refused: Refused): void {
    const known = this.#outages.get(refused.tenant);
    if (known === undefined) {
      const detectedAtMs = this.#parts.clock.nowMs();
      const started = { ...refused, detectedAtMs, refusedCount: 1, restoredAtMs: undefined, cancelTimer: () => {} };
      this.#outages.set(refused.tenant, started);
      return;
    }
    known.refusedCount += 1;
    known.restoredAtMs = undefined;
    known.cancelTimer();
  }

  /** A receipt of the tenant has come. */
  answered(tenant: string): void {
    if (this.#outages.size === 0) return;
    const outage = this.#outages.get(tenant);
    if (outage === undefined || outage.restoredAtMs !== undefined) return;
    outage.restoredAtMs = this.#parts.clock.nowMs();
    outage.cancelTimer = this.#parts.clock.after(QUIET_MS, () => this.#write(outage));
  }

  /** Writes down what is over. One that is not stays unwritten: nobody knows when it ended. */
  stop(): void {
    for (const outage of this.#outages.values()) {
      outage.cancelTimer();
      if (outage.restoredAtMs !== undefined) this.#write(outage);
    }
  }

  #write(outage: Outage): void {
    const { tenant, partition, component, cause, failedAtMs, detectedAtMs, restoredAtMs, refusedCount } = outage;
    this.#outages.delete(tenant);
    const members = {
      component,
      cause,
      failed_at: failedAtMs,
      detected_at: detectedAtMs,
      restored_at: restoredAtMs ?? detectedAtMs,
      changes_refused: refusedCount,
    };
    void this.#parts.sender.send({ kind: 'outage', tenant, partition, members });
  }
}
