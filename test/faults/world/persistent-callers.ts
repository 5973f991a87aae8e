// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { Caller, CallerRequest } from './caller.ts';

export type Persistence = {
  /** Event ids of the answers that said the change was made. */
  readonly allowedEventIds: ReadonlySet<string>;
  /** How many answers of each kind came, over all attempts. */
  readonly answerCounts: Readonly<Record<string, number>>;
};

/** What `retry-after` says. */
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 16_000;
const GIVE_UP_MS = 120_000;
/** The golden ratio spreads the callers of one outage evenly over their pauses, the same way in each run. */
const SPREAD = 0.618_034;

/** Answers after which a caller asks again: nothing was decided, or the first attempt is still under way. */
const ASKS_AGAIN = new Set(['0', '503', '409 CLY_IDEMPOTENCY_IN_FLIGHT']);

/**
 * Sends the requests at this rate, whatever becomes of them; each caller repeats its own under the same idempotency key
 * and a new nonce, ever more slowly, until it is allowed, refused or has waited long enough.
 */
export async function sendAll(caller: Caller, requests: readonly CallerRequest[], rate: number): Promise<Persistence> {
  const allowedEventIds = new Set<string>();
  const answerCounts: Record<string, number> = {};
  const one = async (request: CallerRequest, index: number): Promise<void> => {
    const share = 0.5 + ((index * SPREAD) % 1) / 2;
    const endMs = performance.now() + GIVE_UP_MS;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      const { status, code, eventId } = await caller.send(request);
      const kind = status === 503 || code === undefined ? String(status) : `${status} ${code}`;
      const shown = code === undefined ? kind : `${status} ${code}`;
      answerCounts[shown] = (answerCounts[shown] ?? 0) + 1;
      if (status === 201 && eventId !== undefined) allowedEventIds.add(eventId);
      if (!ASKS_AGAIN.has(kind) || performance.now() > endMs) return;
      await pause(pauseMs * share);
    }
  };
  const startMs = performance.now();
  const underWay: Promise<void>[] = [];
  while (underWay.length < requests.length) {
    const dueCount = Math.min(requests.length, Math.ceil(((performance.now() - startMs) / 1_000) * rate));
    while (underWay.length < dueCount) {
      underWay.push(one(requests[underWay.length] as CallerRequest, underWay.length));
    }
    await pause(4);
  }
  await Promise.all(underWay);
  return { allowedEventIds, answerCounts };
}
