// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { ReadCursor } from './read-cursor.ts';
import type { WireRecord } from './wire/record-batch.ts';

const AT = { topic: 't', partition: 3 };

function cursorAt(fromOffset: number): ReadCursor {
  return new ReadCursor({ ...AT, fromOffset });
}

function message(offset: number, batch: { last: number }, isControlRecord = false): WireRecord {
  return {
    offset,
    timestampMs: 1_767_225_600_000,
    key: null,
    value: Uint8Array.of(offset),
    isControlRecord,
    batchEnd: batch.last + 1,
  };
}

function take(cursor: ReadCursor, messages: readonly WireRecord[]): number[] {
  return cursor.take({ ...AT, highWatermark: 100, messages }).map(({ offset }) => offset);
}

describe('a reader position', () => {
  it('hands out no offset twice: a broker answers with whole batches', () => {
    const cursor = cursorAt(5);
    const batch = [4, 5, 6].map((offset) => message(offset, { last: 6 }));
    expect(take(cursor, batch)).toEqual([5, 6]);
    expect(take(cursor, batch)).toEqual([]);
    expect(cursor.position).toEqual({ ...AT, fromOffset: 7 });
  });

  it('moves behind a batch whose last records were compacted away', () => {
    const cursor = cursorAt(0);
    expect(take(cursor, [message(1, { last: 9 })])).toEqual([1]);
    expect(cursor.position.fromOffset).toBe(10);
  });

  it('moves behind a batch of which nothing is left for it', () => {
    const cursor = cursorAt(5);
    expect(take(cursor, [message(2, { last: 9 })])).toEqual([]);
    expect(cursor.position.fromOffset).toBe(10);
  });

  it('skips the control records of a transaction', () => {
    const cursor = cursorAt(0);
    expect(take(cursor, [message(0, { last: 0 }), message(1, { last: 1 }, true)])).toEqual([0]);
    expect(cursor.position.fromOffset).toBe(2);
  });

  it('skips what retention deleted, and rejects a log that ends before it', () => {
    const cursor = cursorAt(5);
    cursor.checkAgainst({ ...AT, startOffset: 8, endOffset: 20 });
    expect(cursor.position.fromOffset).toBe(8);
    cursor.checkAgainst({ ...AT, startOffset: 0, endOffset: 8 });
    expect(() => cursor.checkAgainst({ ...AT, startOffset: 0, endOffset: 7 })).toThrow(
      expect.objectContaining({ code: 'CLY_LOG_TRUNCATED' }),
    );
  });
});
