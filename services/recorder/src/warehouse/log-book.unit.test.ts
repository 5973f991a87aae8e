// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { describe, expect, it } from '@jest/globals';
import { gapKey, LogBook } from './log-book.ts';
import { commitKey } from './observed-statement.ts';

const statement = (timeline: number, lsn: string, id: string): JsonObject => ({
  kind: 'transaction',
  system_id: 'snowflake:A:B',
  timeline,
  commit_end_lsn: lsn,
  committed_at: 1_000,
  statement: { id },
});

function bookOf(bodies: readonly JsonObject[]): LogBook {
  const book = new LogBook();
  for (const body of bodies) book.take(body, 5);
  return book;
}

describe('what a log says of a warehouse', () => {
  it('knows a statement by the rule by which the journal has it as a leaf', () => {
    // Two recorders that took the source over in the same moment: the second body at 0/1 is no leaf, and must be told again.
    const book = bookOf([statement(2, '0/1', 'a'), statement(2, '0/2', 'b'), statement(2, '0/1', 'c')]);
    expect(['a', 'b', 'c'].map((id) => book.isKnown(id))).toEqual([true, true, false]);
    expect(book.position).toBe(2n);
  });

  it('goes on counting under a newer recorder', () => {
    const book = bookOf([statement(2, '0/F', 'a'), statement(3, '0/10', 'b')]);
    expect(book.timeline).toBe(3);
    expect(book.position).toBe(16n);
  });

  it('knows a commit of a table under another id, which CREATE OR REPLACE gives it, and no other commit', () => {
    const body = statement(2, '0/1', 'first@7');
    const book = bookOf([{ ...body, statement: { id: 'first@7', table: 'a.b.c' } }]);
    const commits = [commitKey('a.b.c', 7, 1_000), commitKey('a.b.c', 7, 1_001), commitKey('a.b.d', 7, 1_000)];
    expect(commits.map((commit) => book.isKnown(commit))).toEqual([true, false, false]);
    book.forgetBefore(1_001);
    expect([...commits, 'first@7'].some((id) => book.isKnown(id))).toBe(false);
  });

  it('takes the beginning from the first coverage, the horizon from the furthest watermark, and each gap once', () => {
    const coverage = { kind: 'coverage', system_id: 's', timeline: 1, relations: ['a.b.c'] };
    const watermark = { kind: 'watermark', system_id: 's', timeline: 1, lsn: '0/0' };
    const book = bookOf([
      { ...coverage, lsn: '@100' },
      { ...watermark, covers_until: 300 },
      { ...coverage, lsn: '@300', timeline: 2 },
      { ...watermark, covers_until: 200 },
      { kind: 'gap', from_lsn: 'a', to_lsn: 'b', reason: 'version_missing', detected_at: 250 },
    ]);
    expect(book).toMatchObject({ beganMs: 100, horizonMs: 300, timeline: 2 });
    expect(book.covered).toEqual(new Set(['a.b.c']));
    const gap = gapKey({ from: 'a', to: 'b', reason: 'version_missing' });
    expect(book.isKnown(gap)).toBe(true);
    book.forgetBefore(251);
    expect(book.isKnown(gap)).toBe(false);
  });
});
