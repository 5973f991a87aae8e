// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { GuardedSet } from './guarded-set.ts';
import { judgeObservation, type Verdict } from './judge-observation.ts';
import type { LedgerGrant, PendingObservation, RelationEffect } from './ledger-entry.ts';

const T1 = digestOf('token 1');
const T2 = digestOf('token 2');
const GUARDED = [
  { source_id: 'crm', relations: ['public.contacts', 'public.accounts'] },
  { source_id: 'billing', relations: ['public.invoices'] },
];

function grant(overrides: Partial<LedgerGrant> = {}): LedgerGrant {
  return {
    token_hash: T1,
    event_id: 'event-1',
    receipt_id: 'receipt-1',
    source_id: 'crm',
    relations: ['public.contacts'],
    operations: ['insert', 'update'],
    rows_max: 2,
    not_before: 100_000,
    expires_at: 160_000,
    used_by: null,
    ...overrides,
  };
}

function effect(overrides: Partial<RelationEffect> = {}): RelationEffect {
  return { schema: 'public', name: 'contacts', inserts: 1, updates: 0, deletes: 0, truncates: 0, ...overrides };
}

function observation(overrides: Partial<PendingObservation> = {}): PendingObservation {
  return {
    observation_id: 'o-1',
    leaf: 7,
    append_time: 120_000,
    source_id: 'crm',
    committed_at: 120_000,
    relations: [effect()],
    token_hashes: [T1],
    ...overrides,
  };
}

function judge(of: Partial<PendingObservation>, grants: readonly LedgerGrant[] = [grant()]): Verdict | undefined {
  const made = observation(of);
  const relations = new GuardedSet(GUARDED).touched(made.source_id, made.relations);
  const known = new Map(grants.map((one) => [one.token_hash, one]));
  return relations.length === 0 ? undefined : judgeObservation({ ...made, relations }, known);
}

describe('what touched nothing guarded has no verdict', () => {
  it.each([
    ['another relation', { relations: [effect({ name: 'notes' })] }],
    ['the same name at another source', { source_id: 'warehouse' }],
    ['a relation that another source guards', { relations: [effect({ name: 'invoices' })] }],
    ['no relation at all', { relations: [] }],
  ])('%s', (_, of) => {
    expect(judge(of)).toBeUndefined();
  });
});

describe('what was not listed one by one', () => {
  it('counts as guarded, and no grant covers it', () => {
    expect(judge({ relations: [effect({ schema: '*', name: '*' })] })).toMatchObject({ reason: 'relation' });
    expect(judge({ relations: [effect({ schema: '*', name: '*' })], source_id: 'warehouse' })).toBeUndefined();
  });
});

describe('the verdict on a transaction', () => {
  const second = grant({ token_hash: T2, event_id: 'event-2', receipt_id: 'receipt-2' });
  const cases: [string, Partial<PendingObservation>, LedgerGrant[], string, string][] = [
    ['is within its grant', {}, [grant()], 'matched', 'token_and_effect'],
    ['has no token', { token_hashes: [] }, [grant()], 'unattributed', 'no_token'],
    ['has a token that no grant has', { token_hashes: [T2] }, [grant()], 'claimed_unproved', 'token_unknown'],
    ['has one known and one unknown token', { token_hashes: [T1, T2] }, [grant()], 'claimed_unproved', 'token_unknown'],
    ['has a used token', {}, [grant({ used_by: 'o-0' })], 'reused', 'token_used'],
    ['has its own token again', {}, [grant({ used_by: 'o-1' })], 'matched', 'token_and_effect'],
    ['is at another source', {}, [grant({ source_id: 'billing' })], 'exceeded', 'source'],
    [
      'touches another relation too',
      { relations: [effect(), effect({ name: 'accounts' })] },
      [grant()],
      'exceeded',
      'relation',
    ],
    [
      'needs two grants for one operation',
      { relations: [effect({ inserts: 0, deletes: 1 })], token_hashes: [T1, T2] },
      [grant(), { ...second, relations: ['public.other'], operations: ['delete'] }],
      'exceeded',
      'operation',
    ],
    ['deletes', { relations: [effect({ deletes: 1 })] }, [grant()], 'exceeded', 'operation'],
    ['truncates', { relations: [effect({ inserts: 0, truncates: 1 })] }, [grant()], 'exceeded', 'operation'],
    ['changes the table', { relations: [effect({ inserts: 0, ddl: 1 })] }, [grant()], 'exceeded', 'operation'],
    [
      'changes the table and may',
      { relations: [effect({ inserts: 0, ddl: 1 })] },
      [grant({ operations: ['ddl'] })],
      'matched',
      'token_and_effect',
    ],
    ['has more rows', { relations: [effect({ inserts: 2, updates: 1 })] }, [grant()], 'exceeded', 'rows'],
    [
      'has the rows of two grants',
      { relations: [effect({ inserts: 4 })], token_hashes: [T1, T2] },
      [grant(), second],
      'matched',
      'token_and_effect',
    ],
    [
      'names one token twice for twice the rows',
      { relations: [effect({ inserts: 3 })], token_hashes: [T1, T1] },
      [grant()],
      'exceeded',
      'rows',
    ],
    ['came too early', { committed_at: 94_999 }, [grant()], 'exceeded', 'time'],
    ['came early within the tolerance', { committed_at: 95_000 }, [grant()], 'matched', 'token_and_effect'],
    ['came late within the tolerance', { committed_at: 165_000 }, [grant()], 'matched', 'token_and_effect'],
    ['came too late', { committed_at: 165_001 }, [grant()], 'exceeded', 'time'],
    [
      'came too late for one of two grants',
      { token_hashes: [T1, T2] },
      [grant(), { ...second, expires_at: 100_000 }],
      'exceeded',
      'time',
    ],
    [
      'is everything at once',
      { relations: [effect({ deletes: 9 })], committed_at: 0 },
      [grant({ source_id: 'billing' })],
      'exceeded',
      'source',
    ],
    [
      'changes rows that nobody guards besides',
      { relations: [effect(), effect({ name: 'notes', inserts: 99 })] },
      [grant()],
      'matched',
      'token_and_effect',
    ],
  ];

  it.each(cases)('where it %s', (_, of, grants, status, reason) => {
    expect(judge(of, grants)).toMatchObject({ status, reason });
  });

  it('names the first token’s grant', () => {
    const found = judge({ token_hashes: [T2, T1] }, [grant(), second]);
    expect(found).toMatchObject({ event_id: 'event-2', receipt_id: 'receipt-2', token_hash: T2, uses: [T2, T1] });
  });

  it('names the unknown token, and no grant', () => {
    const found = judge({ token_hashes: [T1, T2] });
    expect(found).toMatchObject({ event_id: null, receipt_id: null, token_hash: T2, uses: [] });
  });

  it('uses no grant up where it reuses one', () => {
    expect(judge({ token_hashes: [T1, T2] }, [grant({ used_by: 'o-0' }), second])?.uses).toEqual([]);
  });

  it('uses the grants up that it exceeds', () => {
    expect(judge({ committed_at: 0 })?.uses).toEqual([T1]);
  });
});
