// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { judge } from './judge.ts';
import type { Grant, Pending } from './ledger.ts';

const ID = 'a'.repeat(32);
const GUARDED = [{ source_id: 'pg', relations: ['public.orders', 'public.refunds'] }];

function pending(members: Partial<Pending> = {}, counts: Record<string, number> = { inserts: 2 }): Pending {
  const orders = { schema: 'public', name: 'orders', inserts: 0, updates: 0, deletes: 0, truncates: 0, ...counts };
  return {
    observation_id: ID,
    leaf: 4,
    append_time: 2_000,
    source_id: 'pg',
    committed_at: 1_500,
    relations: [orders],
    token_hashes: ['t1'],
    ...members,
  };
}

function grant(token: string, members: Partial<Grant> = {}): Grant {
  return {
    token_hash: token,
    event_id: `event ${token}`,
    receipt_id: 'b'.repeat(32),
    source_id: 'pg',
    relations: ['public.orders'],
    operations: ['insert'],
    rows_max: 2,
    not_before: 10_000,
    expires_at: 20_000,
    used_by: null,
    ...members,
  };
}

describe('judging an observation', () => {
  it.each([
    ['inside its grant', pending({ committed_at: 10_000 }), [grant('t1')], 'matched token_and_effect'],
    ['at the first instant allowed', pending({ committed_at: 5_000 }), [grant('t1')], 'matched token_and_effect'],
    ['before the first instant', pending({ committed_at: 4_999 }), [grant('t1')], 'exceeded time'],
    ['at the last instant allowed', pending({ committed_at: 25_000 }), [grant('t1')], 'matched token_and_effect'],
    ['after the last instant', pending({ committed_at: 25_001 }), [grant('t1')], 'exceeded time'],
    ['of another source', pending(), [grant('t1', { source_id: 'other' })], 'exceeded source'],
    ['of another relation', pending(), [grant('t1', { relations: ['public.refunds'] })], 'exceeded relation'],
    ['by another operation', pending({}, { deletes: 1 }), [grant('t1')], 'exceeded operation'],
    ['by truncation', pending({}, { truncates: 1 }), [grant('t1')], 'exceeded operation'],
    [
      'by an operation that one grant and a relation that another allows',
      pending({ token_hashes: ['t1', 't2'], committed_at: 10_000 }, { deletes: 1 }),
      [grant('t1'), grant('t2', { relations: ['public.refunds'], operations: ['delete'] })],
      'exceeded operation',
    ],
    ['of too many rows', pending({}, { inserts: 3 }), [grant('t1')], 'exceeded rows'],
    ['without a token', pending({ token_hashes: [] }), [grant('t1')], 'unattributed no_token'],
    ['with an unknown token', pending({ token_hashes: ['t1', 't9'] }), [grant('t1')], 'claimed_unproved token_unknown'],
    ['with a used token', pending(), [grant('t1', { used_by: 'c'.repeat(32) })], 'reused token_used'],
    [
      'of rows that two grants allow together',
      pending({ token_hashes: ['t1', 't2'], committed_at: 10_000 }, { inserts: 4 }),
      [grant('t1'), grant('t2')],
      'matched token_and_effect',
    ],
    [
      'of rows that one grant named twice does not allow',
      pending({ token_hashes: ['t1', 't1'] }, { inserts: 4 }),
      [grant('t1')],
      'exceeded rows',
    ],
  ])('%s', (_name, observation, grants, expected) => {
    const match = judge(observation, GUARDED, new Map(grants.map((one) => [one.token_hash, one])));
    expect(`${match?.status} ${match?.reason}`).toBe(expected);
    const isUsed = /matched|exceeded/.test(expected);
    expect(grants.every((one) => one.used_by === (isUsed ? ID : null) || !isUsed)).toBe(true);
  });

  it('takes what was not listed for guarded', () => {
    const unlisted = { schema: '*', name: '*', inserts: 1, updates: 0, deletes: 0, truncates: 0 };
    const match = judge(pending({ relations: [unlisted], token_hashes: [] }), GUARDED, new Map());
    expect(match).toMatchObject({ status: 'unattributed' });
  });

  it('says nothing about what is not guarded', () => {
    expect(judge(pending({ source_id: 'else' }), GUARDED, new Map())).toBeNull();
    expect(judge(pending({ relations: [] }), GUARDED, new Map())).toBeNull();
  });

  it('names the grant of the first token', () => {
    const match = judge(
      pending({ token_hashes: ['t2', 't1'] }),
      GUARDED,
      new Map([
        ['t1', grant('t1')],
        ['t2', grant('t2')],
      ]),
    );
    expect(match).toMatchObject({ event_id: 'event t2', token_hash: 't2', leaf: 4 });
  });

  it('names an unknown token and no grant', () => {
    const match = judge(pending({ token_hashes: ['t9'] }), GUARDED, new Map());
    expect(match).toMatchObject({ event_id: null, receipt_id: null, token_hash: 't9' });
  });
});
