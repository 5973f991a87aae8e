// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import type { LedgerGrant, PendingObservation } from './ledger-entry.ts';
import { GRANT_GRACE_MS, GRANT_MEMORY_MS, reconcileCut } from './reconcile-cut.ts';

const TOKENS = Array.from({ length: 6 }, (_, index) => digestOf(`token ${index}`));
const DAY_MS = 86_400_000;

const grants = fc
  .uniqueArray(fc.record({ token_hash: fc.constantFrom(...TOKENS), expires_at: fc.nat(3 * DAY_MS) }), {
    selector: ({ token_hash: token }) => token,
  })
  .map((list) =>
    list.map(
      ({ token_hash, expires_at }, index): LedgerGrant => ({
        token_hash,
        event_id: `event-${index}`,
        receipt_id: `receipt-${index}`,
        source_id: 'crm',
        relations: ['public.contacts'],
        operations: ['insert'],
        rows_max: 1,
        not_before: 0,
        expires_at,
        used_by: null,
      }),
    ),
  );

const pending = fc
  .array(
    fc.record({
      append_time: fc.nat(3 * DAY_MS),
      committed_at: fc.nat(3 * DAY_MS),
      token_hashes: fc.array(fc.constantFrom(...TOKENS), { maxLength: 3 }),
      name: fc.constantFrom('contacts', 'notes'),
      inserts: fc.nat(3),
    }),
    { maxLength: 12 },
  )
  .map((list) =>
    list.map(
      ({ name, inserts, ...rest }, index): PendingObservation => ({
        ...rest,
        observation_id: `o-${index}`,
        leaf: index,
        source_id: 'crm',
        relations: [{ schema: 'public', name, inserts, updates: 0, deletes: 0, truncates: 0 }],
      }),
    ),
  );

const input = fc
  .record({ grants, pending, appendTimeMs: fc.nat(3 * DAY_MS), coversUntilMs: fc.option(fc.nat(3 * DAY_MS)) })
  .map(({ coversUntilMs, ...made }) => ({
    ...made,
    watermarks: new Map(
      coversUntilMs === null ? [] : [['crm', { source_id: 'crm', lsn: '0/1', covers_until: coversUntilMs }]],
    ),
    grants: new Map(made.grants.map((one) => [one.token_hash, one])),
  }));

describe('reconciling at a cut', () => {
  it('uses each grant for one observation at most', () => {
    fc.assert(
      fc.property(input, (made) => {
        const used = reconcileCut(made).judged.flatMap(({ observation, verdict }) =>
          verdict.uses.map((token) => [token, observation.observation_id] as const),
        );
        expect(new Map(used).size).toBe(used.length);
      }),
    );
  });

  it('judges in leaf order what the log had by the cut, and leaves the rest in order', () => {
    fc.assert(
      fc.property(input, (made) => {
        const result = reconcileCut(made);
        const leaves = result.judged.map(({ observation }) => observation.leaf);
        expect(leaves).toEqual([...leaves].sort((left, right) => left - right));
        expect(result.judged.every(({ observation }) => observation.append_time <= made.appendTimeMs)).toBe(true);
        expect(result.pending).toEqual(made.pending.filter((one) => one.append_time > made.appendTimeMs));
      }),
    );
  });

  it('drops the grants that their source has told beyond, or that expired a day before, and no other', () => {
    fc.assert(
      fc.property(input, (made) => {
        const told = made.watermarks.get('crm')?.covers_until ?? 0;
        const kept = [...made.grants.values()].filter(
          (one) => one.expires_at + GRANT_MEMORY_MS >= made.appendTimeMs && told <= one.expires_at + GRANT_GRACE_MS,
        );
        expect([...reconcileCut(made).grants.keys()]).toEqual(kept.map(({ token_hash: token }) => token));
      }),
    );
  });

  it('says the same at one cut as at two, for what both have seen', () => {
    fc.assert(
      fc.property(input, fc.nat(3 * DAY_MS), (made, earlierMs) => {
        fc.pre(earlierMs <= made.appendTimeMs && made.appendTimeMs <= GRANT_MEMORY_MS);
        const sorted = made.pending.toSorted((left, right) => left.append_time - right.append_time);
        const once = reconcileCut({ ...made, pending: sorted });
        const first = reconcileCut({ ...made, pending: sorted, watermarks: new Map(), appendTimeMs: earlierMs });
        const second = reconcileCut({ ...made, pending: first.pending, grants: first.grants });
        expect([...first.judged, ...second.judged]).toEqual(once.judged);
      }),
    );
  });

  it('does not change its input', () => {
    fc.assert(
      fc.property(input, (made) => {
        const before = structuredClone({ pending: made.pending, grants: [...made.grants] });
        reconcileCut(made);
        expect({ pending: made.pending, grants: [...made.grants] }).toEqual(before);
      }),
    );
  });
});
