// SPDX-License-Identifier: Apache-2.0
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import type { Fate } from '../log/change-publisher.ts';
import type { ChangeAttempt } from './change-attempt.ts';
import type { GatewayParts } from './gateway-parts.ts';
import type { ClientPresence } from './gateway-request.ts';
import { HoldLimit } from './hold-limit.ts';

type Parts = Pick<
  GatewayParts,
  'directory' | 'desk' | 'publisher' | 'outcomes' | 'outages' | 'meter' | 'clock' | 'limits'
>;

export type HoldEnd = DecidedBody | 'deadline' | 'cancelled';

/** Publishes a change and holds the caller until its receipt is there or nobody waits any more. */
export class HoldLine {
  readonly #parts: Parts;
  readonly #limit: HoldLimit;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { clock, desk, limits, meter } = parts;
    this.#limit = new HoldLimit({ clock, max: limits.inFlightMax, holdMs: limits.holdMs });
    desk.whenLate(() => {
      meter.late();
      this.#limit.late();
    });
  }

  /** Whether one more caller may wait: see `HoldLimit`. */
  isOpen(): boolean {
    return this.#limit.isOpen();
  }

  /** A text says why there is no receipt: then nothing may be forwarded, whatever arrives later. */
  async hold(attempt: ChangeAttempt, deadlineAtMs: number, client: ClientPresence): Promise<HoldEnd> {
    const { desk, publisher, clock, directory, meter } = this.#parts;
    const { change, tenant } = attempt;
    const startMs = clock.nowMs();
    const wait = desk.await(
      {
        eventId: change.eventId,
        tenant: change.tenant,
        digest: change.digest,
        isTrusted: (receipt) => directory.isSigned(tenant, receipt),
      },
      deadlineAtMs - startMs,
    );
    this.#limit.enter();
    client.onGone(() => wait.cancel());
    const fate = publisher.publish(change, deadlineAtMs - startMs);
    void fate.then((known) => known === 'not_sent' && wait.cancel());
    const received = await wait.result;
    this.#limit.leave(typeof received === 'string' ? undefined : clock.nowMs() - startMs);
    // A process that was paused may read a receipt before its timer fires: by then another may have settled the change.
    const result = clock.nowMs() > deadlineAtMs ? 'deadline' : received;
    if (typeof result === 'object' && result.kind === 'decided') {
      meter.held(clock.nowMs() - startMs);
      meter.decided(result.decision);
      return result;
    }
    const why = typeof result === 'string' ? result : 'cancelled';
    meter.decided(why);
    const detail = client.isGone() ? 'client_gone' : why;
    void fate.then((known) => {
      if (known !== 'not_sent') this.#giveUp(attempt, detail);
      if (!client.isGone()) this.#noteOutage(attempt, { why, known, failedAtMs: startMs });
    });
    return why;
  }

  /** Refused because nobody decided in time: neither the caller nor the policy is the cause. */
  #noteOutage(
    { change }: ChangeAttempt,
    seen: { why: 'deadline' | 'cancelled'; known: Fate; failedAtMs: number },
  ): void {
    const { partition, tenant } = change;
    const component = seen.known === 'stored' ? 'enforcer' : 'log';
    const cause = seen.why === 'deadline' ? 'CLY_RECEIPT_DEADLINE' : 'CLY_INTAKE_CANCELLED';
    this.#parts.outages.refused({ tenant, partition, component, cause, failedAtMs: seen.failedAtMs });
  }

  #giveUp({ change }: ChangeAttempt, detail: string): void {
    const { partition, tenant, eventId } = change;
    this.#parts.outcomes.report({ partition, tenant, of: eventId, outcome: 'not_forwarded', detail });
  }
}
