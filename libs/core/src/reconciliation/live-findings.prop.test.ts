// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import type { LedgerGrant, PendingObservation } from './ledger-entry.ts';
import { LiveFindings } from './live-findings.ts';
import { reconcileCut } from './reconcile-cut.ts';

const NOW_MS = 1_000_000;
const TOKENS = Array.from({ length: 5 }, (_, index) => digestOf(`token ${index}`));

function grantOf(token_hash: string, rows_max: number): LedgerGrant {
  return {
    token_hash,
    event_id: `event-${token_hash.slice(0, 4)}`,
    receipt_id: `receipt-${token_hash.slice(0, 4)}`,
    source_id: 'crm',
    relations: ['public.contacts'],
    operations: ['insert'],
    rows_max,
    not_before: NOW_MS,
    expires_at: NOW_MS + 60_000,
    used_by: null,
  };
}

function observationOf(index: number, token_hashes: readonly string[], inserts = 1): PendingObservation {
  return {
    observation_id: `o-${index}`,
    leaf: index,
    append_time: NOW_MS,
    source_id: 'crm',
    committed_at: NOW_MS + 1_000,
    relations: [{ schema: 'public', name: 'contacts', inserts, updates: 0, deletes: 0, truncates: 0 }],
    token_hashes,
  };
}

const grants = fc.uniqueArray(fc.record({ token: fc.constantFrom(...TOKENS), rows: fc.nat(2) }), {
  selector: ({ token }) => token,
});
const observations = fc.array(
  fc.record({ tokens: fc.array(fc.constantFrom(...TOKENS), { maxLength: 2 }), inserts: fc.nat(3) }),
  { maxLength: 10 },
);

describe('live findings', () => {
  it('are the verdicts of the next cut, when every receipt comes before its observation', () => {
    fc.assert(
      fc.property(grants, observations, (given, seen) => {
        const live = new LiveFindings();
        const ledger = given.map(({ token, rows }) => grantOf(token, rows));
        for (const grant of ledger) live.grant(grant, NOW_MS);
        const pending = seen.map(({ tokens, inserts }, index) => observationOf(index, tokens, inserts));
        for (const observation of pending) {
          live.observed(observation, NOW_MS, true);
          live.settle(NOW_MS + 60_000, true);
        }
        const { judged } = reconcileCut({
          pending,
          grants: new Map(ledger.map((grant) => [grant.token_hash, grant])),
          appendTimeMs: NOW_MS + 1,
          watermarks: new Map(),
        } as unknown as Parameters<typeof reconcileCut>[0]);
        const expected = judged.filter(({ verdict }) => verdict.status !== 'matched');
        expect(live.findings.toReversed().map((one) => [one.observation_id, one.status, one.reason])).toEqual(
          expected.map(({ observation, verdict }) => [observation.observation_id, verdict.status, verdict.reason]),
        );
      }),
    );
  });

  it('wait for a receipt that is read late, and not for ever', () => {
    const live = new LiveFindings();
    const [token = '', forged = ''] = TOKENS;
    live.observed(observationOf(1, [token]), NOW_MS, true);
    live.observed(observationOf(2, [forged]), NOW_MS, true);
    live.settle(NOW_MS + 1_000, true);
    expect(live.findings).toEqual([]);
    live.grant(grantOf(token, 1), NOW_MS + 1_000);
    live.settle(NOW_MS + 1_500, true);
    expect(live.counts).toMatchObject({ matched: 1, claimed_unproved: 0 });
    live.settle(NOW_MS + 2_000, true);
    expect(live.findings).toMatchObject([{ observation_id: 'o-2', status: 'claimed_unproved', token_hash: forged }]);
  });

  it('say nothing about a token before old receipts are known, but name a write without one at once', () => {
    const live = new LiveFindings();
    live.observed(observationOf(1, [TOKENS[0] ?? '']), NOW_MS, false);
    live.observed(observationOf(2, []), NOW_MS, false);
    live.settle(NOW_MS + 600_000, false);
    expect(live.findings).toMatchObject([
      { observation_id: 'o-2', status: 'unattributed', relations: ['public.contacts'] },
    ]);
  });

  it('stay within their limits', () => {
    const live = new LiveFindings({ findingsMax: 2, waitingMax: 1, grantsMax: 1 });
    for (let index = 0; index < 4; index += 1) live.observed(observationOf(index, []), NOW_MS, true);
    expect(live.findings.map(({ observation_id: id }) => id)).toEqual(['o-3', 'o-2']);
    for (let index = 4; index < 7; index += 1)
      live.observed(observationOf(index, [TOKENS[index - 4] ?? '']), NOW_MS, true);
    expect(live.counts).toMatchObject({ unattributed: 4, unjudged: 2 });
    for (const token of TOKENS) live.grant(grantOf(token, 1), NOW_MS);
    live.settle(NOW_MS + 10_000, true);
    expect(live.counts.claimed_unproved).toBe(1);
  });

  it('forget the oldest grants when these are too many, several at once, and know all others', () => {
    const live = new LiveFindings({ grantsMax: 64 });
    const tokens = Array.from({ length: 65 }, (_, index) => digestOf(`many ${index}`));
    for (const token of tokens) live.grant(grantOf(token, 1), NOW_MS);
    tokens.forEach((token, index) => {
      live.observed(observationOf(index, [token]), NOW_MS, true);
    });
    live.settle(NOW_MS + 10_000, true);
    expect(live.counts).toMatchObject({ matched: 61, claimed_unproved: 4 });
    expect(live.findings.map(({ observation_id: id }) => id)).toEqual(['o-3', 'o-2', 'o-1', 'o-0']);
  });
});
