// SPDX-License-Identifier: Apache-2.0

import { silentLogger } from '@clyra/core/ports/logger';
import { describe, expect, it } from '@jest/globals';
import type { ReadReceipt } from '../log/read-receipt.ts';
import { ReceiptDesk } from '../log/receipt-desk.ts';
import type { ChangeAttempt } from './change-attempt.ts';
import { noMeter } from './gateway-meter.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { HoldLine } from './hold-line.ts';

const RECEIPT = {
  body: { kind: 'decided', decision: 'allow', event_id: 'event-1', change_digest: 'digest-1', tenant: 'acme' },
} as unknown as ReadReceipt;
const ATTEMPT = {
  tenant: {},
  change: { partition: 0, tenant: 'acme', eventId: 'event-1', digest: 'digest-1' },
} as unknown as ChangeAttempt;
const DEADLINE_MS = 1_000;

/** A process whose timers do not fire: as after a pause, when the socket is read before the timers are looked at. */
async function holdUntil(readAtMs: number): Promise<{ readonly end: unknown; readonly outcomes: readonly unknown[] }> {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs, after: () => () => {} };
  const desk = new ReceiptDesk({ clock, logger: silentLogger });
  const outcomes: unknown[] = [];
  const parts = {
    clock,
    desk,
    directory: { isSigned: () => true },
    publisher: { publish: () => Promise.resolve('stored') },
    outcomes: { report: (outcome: unknown) => outcomes.push(outcome) },
    outages: { refused: () => {} },
    meter: noMeter,
    limits: { holdMs: DEADLINE_MS, inFlightMax: 10 },
  } as unknown as GatewayParts;
  const client = { isGone: () => false, onGone: () => {} };
  const held = new HoldLine(parts).hold(ATTEMPT, DEADLINE_MS, client);
  nowMs = readAtMs;
  desk.offer(RECEIPT);
  const end = await held;
  await Promise.resolve();
  return { end, outcomes };
}

describe('a held caller', () => {
  it('has the receipt that comes by the deadline', async () => {
    const { end, outcomes } = await holdUntil(DEADLINE_MS);
    expect(end).toMatchObject({ decision: 'allow' });
    expect(outcomes).toEqual([]);
  });

  it('has nothing from a receipt that a paused process reads after it, and says that nothing was forwarded', async () => {
    const { end, outcomes } = await holdUntil(60_000);
    expect(end).toBe('deadline');
    expect(outcomes).toMatchObject([{ of: 'event-1', outcome: 'not_forwarded' }]);
  });
});
