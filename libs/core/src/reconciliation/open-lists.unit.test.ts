// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { GuardedSet, guardedRelations, guardedSources } from './guarded-set.ts';
import type { LedgerGrant, PendingObservation } from './ledger-entry.ts';
import { ledgerLineBytes, OpenGrants } from './open-grants.ts';
import { PendingList } from './pending-list.ts';

const grant = (name: string, used_by: string | null = null): LedgerGrant => ({
  token_hash: digestOf(name),
  event_id: 'event-1',
  receipt_id: 'receipt-1',
  source_id: 'crm',
  relations: ['public.contacts'],
  operations: ['insert'],
  rows_max: 1,
  not_before: 0,
  expires_at: 1,
  used_by,
});

const pending = (leaf: number): PendingObservation => ({
  observation_id: 'o-1',
  leaf,
  append_time: 0,
  source_id: 'crm',
  committed_at: 0,
  relations: [],
  token_hashes: [],
});

describe('grants that may still be used', () => {
  const bytes = ledgerLineBytes('grant', grant('a'));

  it('have room for so many bytes of lines, and say when one does not fit', () => {
    const grants = new OpenGrants([], 2 * bytes);
    expect([grants.add(grant('a')), grants.add(grant('b')), grants.add(grant('c'))]).toEqual([true, true, false]);
    expect(grants.byToken.size).toBe(2);
  });

  it('give room back where a cut drops one, and count what a use adds', () => {
    const grants = new OpenGrants([grant('a'), grant('b')], 2 * bytes + 30);
    const used = { ...grant('a'), used_by: 'f'.repeat(32) };
    grants.settle(new Map([[used.token_hash, used]]));
    expect([grants.add(grant('c')), grants.add(grant('d'))]).toEqual([true, false]);
    expect(grants.unusedCount).toBe(1);
  });

  it('never renew a used one', () => {
    const grants = new OpenGrants([grant('a', 'o-0')]);
    expect(grants.add(grant('a'))).toBe(true);
    expect(grants.byToken.get(digestOf('a'))?.used_by).toBe('o-0');
  });
});

describe('transactions that no cut has judged', () => {
  it('have room for so many bytes of lines', () => {
    const list = new PendingList([], 2 * ledgerLineBytes('pending', pending(1)));
    expect([list.add(pending(1)), list.add(pending(2)), list.add(pending(3))]).toEqual([true, true, false]);
    list.settle([]);
    expect([list.add(pending(4)), list.list.length]).toEqual([true, 1]);
  });
});

describe('what is guarded since the last cut', () => {
  const relation = (name: string, schema = 'public') => ({
    schema,
    name,
    inserts: 1,
    updates: 0,
    deletes: 0,
    truncates: 0,
  });

  it('grows with each policy, source by source', () => {
    const set = new GuardedSet([{ source_id: 'crm', relations: ['public.contacts'] }]);
    const names = () => set.touched('crm', [relation('contacts'), relation('notes')]).map(({ name }) => name);
    expect(names()).toEqual(['contacts']);
    set.add([{ source_id: 'crm', relations: ['public.notes'] }]);
    expect([names(), set.touched('billing', [relation('notes')])]).toEqual([['contacts', 'notes'], []]);
  });

  it('counts what a recorder did not list, where anything is guarded', () => {
    const set = new GuardedSet([
      { source_id: 'crm', relations: ['public.contacts'] },
      { source_id: 'empty', relations: [] },
    ]);
    const unlisted = relation('*', '*');
    expect([set.touched('crm', [unlisted]).length, set.touched('empty', [unlisted]).length]).toEqual([1, 0]);
  });

  it('reads back from a ledger as it was, united and in order', () => {
    const sources = [
      { source_id: 'crm', relations: ['b.b', 'a.a'] },
      { source_id: 'billing', relations: ['c.c'] },
      { source_id: 'crm', relations: ['a.a', 'd.d'] },
    ];
    const relations = guardedRelations(sources);
    expect(relations.map(({ source_id, relation: name }) => `${source_id} ${name}`)).toEqual([
      'billing c.c',
      'crm a.a',
      'crm b.b',
      'crm d.d',
    ]);
    expect(guardedRelations(guardedSources(relations))).toEqual(relations);
  });
});
