// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConfirmationLedger } from './confirmation-ledger.ts';

describe('ConfirmationLedger', () => {
  it('starts at the slot and moves by confirmation alone', () => {
    const ledger = new ConfirmationLedger(100n);
    ledger.deliver(110n, 2);
    ledger.deliver(120n, 3);
    expect([ledger.confirmedLsn, ledger.pendingWeight, ledger.isSettled]).toEqual([100n, 5, false]);
    expect(ledger.confirm(110n)).toBe(true);
    expect([ledger.confirmedLsn, ledger.pendingWeight, ledger.isSettled]).toEqual([110n, 3, false]);
    expect(ledger.confirm(120n)).toBe(true);
    expect([ledger.confirmedLsn, ledger.pendingWeight, ledger.isSettled]).toEqual([120n, 0, true]);
  });

  it('never moves back, not even to a checkpoint older than the slot', () => {
    const ledger = new ConfirmationLedger(100n);
    expect(ledger.confirm(99n)).toBe(false);
    expect(ledger.confirm(100n)).toBe(false);
    expect(ledger.confirmedLsn).toBe(100n);
  });

  it('refuses what was not received', () => {
    const ledger = new ConfirmationLedger(100n);
    ledger.deliver(110n, 1);
    expect(() => ledger.confirm(111n)).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_CONFIRM_AHEAD', retry: 'never' }),
    );
    expect(ledger.confirmedLsn).toBe(100n);
  });

  it('lets a keepalive be confirmed', () => {
    const ledger = new ConfirmationLedger(100n);
    ledger.receiveKeepalive(140n);
    expect(ledger.isSettled).toBe(true);
    expect(ledger.confirm(140n)).toBe(true);
  });

  it('always holds exactly what was delivered after the confirmed position', () => {
    const steps = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 9 }), confirms: fc.nat({ max: 3_000 }) }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 60 }), (all, burstCount) => {
        const ledger = new ConfirmationLedger(0n);
        const delivered: bigint[] = [];
        let end = 0n;
        for (const step of all) {
          for (let index = 0; index < burstCount; index += 1) {
            end += BigInt(step.gap);
            ledger.deliver(end, 1);
            delivered.push(end);
          }
          ledger.confirm(delivered[Math.min(step.confirms, delivered.length - 1)] ?? 0n);
          const pending = delivered.filter((lsn) => lsn > ledger.confirmedLsn);
          expect(ledger.pendingWeight).toBe(pending.length);
          expect(ledger.isSettled).toBe(pending.length === 0);
        }
      }),
      { numRuns: 50 },
    );
  });
});
