// SPDX-License-Identifier: Apache-2.0
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { describe, expect, it } from '@jest/globals';
import { mintEventId } from '../log/event-id.ts';
import { ChangeIndex, INDEX_AGE_MS_MAX } from './change-index.ts';

const random = new SeededRandom(1);
const T0 = 1_750_000_000_000;

function decided(eventId: string, atMs: number, decision = 'allow'): ReceiptBody {
  return {
    kind: 'decided',
    change_kind: 'change.requested',
    event_id: eventId,
    tenant: 'acme',
    decision,
    reasons: [],
    receipt_id: 'r',
    partition: 0,
    offset: 1,
    decided_at: atMs,
  } as unknown as ReceiptBody;
}

const recorded = (of: string, effect: string) =>
  ({ kind: 'recorded', change_kind: 'change.outcome', tenant: 'acme', of, effect }) as unknown as ReceiptBody;

const SHOWN = { body: Buffer.from('{}'), signature: null };

describe('ChangeIndex', () => {
  it.each([
    ['done', 'done'],
    ['failed', 'failed'],
    ['returned', 'not_forwarded'],
    ['ignored', 'allowed'],
  ])('follows an outcome that was %s', (effect, state) => {
    const index = new ChangeIndex();
    const eventId = mintEventId(T0, random);
    index.note(decided(eventId, T0), SHOWN);
    index.note(recorded(eventId, effect), SHOWN);
    expect(index.find(eventId, T0)).toMatchObject({ change: { state } });
  });

  it('calls an allowed change unknown once its outcome is overdue', () => {
    const index = new ChangeIndex();
    const eventId = mintEventId(T0, random);
    index.note(decided(eventId, T0), SHOWN);
    expect(index.find(eventId, T0 + 59_999)).toMatchObject({ change: { state: 'allowed' } });
    expect(index.find(eventId, T0 + 60_000)).toMatchObject({ change: { state: 'unknown' } });
  });

  it('keeps no more than it may, and tells what went from what never was', () => {
    const index = new ChangeIndex(3);
    const ids = Array.from({ length: 5 }, (_, count) => mintEventId(T0 + count, random));
    for (const [count, eventId] of ids.entries()) index.note(decided(eventId, T0 + count, 'block'), SHOWN);
    const states = ids.map((eventId) => index.find(eventId, T0 + 10));
    expect(states.slice(0, 2)).toEqual(['too_old', 'too_old']);
    expect(states.slice(2).every((found) => typeof found === 'object')).toBe(true);
    expect(index.find(mintEventId(T0 + 9, random), T0 + 10)).toBe('unknown_id');
    expect(index.find(mintEventId(T0 - INDEX_AGE_MS_MAX, random), T0 + 10)).toBe('too_old');
    expect(index.find(ids[4] as string, T0 + INDEX_AGE_MS_MAX + 10)).toBe('too_old');
  });

  it('lets some of the oldest go at a time when it is full', () => {
    const index = new ChangeIndex(256);
    const ids = Array.from({ length: 257 }, (_, count) => mintEventId(T0 + count, random));
    for (const [count, eventId] of ids.entries()) index.note(decided(eventId, T0 + count, 'block'), SHOWN);
    const gone = ids.filter((eventId) => index.find(eventId, T0 + 300) === 'too_old');
    expect(gone).toEqual(ids.slice(0, 3));
  });

  it('does not take the outcome of another tenant', () => {
    const index = new ChangeIndex();
    const eventId = mintEventId(T0, random);
    index.note(decided(eventId, T0), SHOWN);
    index.note({ ...recorded(eventId, 'done'), tenant: 'rival' } as ReceiptBody, SHOWN);
    expect(index.find(eventId, T0)).toMatchObject({ change: { state: 'allowed' } });
  });
});
