// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { expect, it } from '@jest/globals';
import { ReceiptShelf } from './receipt-shelf.ts';

const bytes = (size: number, letter: number): Uint8Array => new Uint8Array(size).fill(letter);
const digests = (receipt: { body: Uint8Array; signature: Uint8Array | null } | undefined) =>
  receipt && [digestOf(receipt.body), receipt.signature && digestOf(receipt.signature)];

it('keeps the newest receipts as they were, whatever becomes of the bytes they came in', () => {
  const shelf = new ReceiptShelf(100);
  const sizes = [0, 1, 1_300, 65_535, 262_144, 300_000];
  const noted = Array.from({ length: 250 }, (_, count) => {
    const body = bytes(sizes[count % sizes.length] as number, count);
    const signature = count % 3 === 0 ? null : bytes(400, count + 1);
    const expected = digests({ body, signature });
    shelf.add(`event-${count}`, { body, signature });
    body.fill(255);
    signature?.fill(255);
    return expected;
  });
  for (const [count, expected] of noted.entries()) {
    expect(digests(shelf.get(`event-${count}`))).toEqual(count < 150 ? undefined : expected);
  }
});

it('lets a receipt hold no more than its own piece', () => {
  const shelf = new ReceiptShelf(10_000);
  const fetched = new Uint8Array(1_000_000);
  for (let count = 0; count < 1_000; count += 1) {
    shelf.add(`event-${count}`, { body: fetched.subarray(count, count + 1_300), signature: null });
  }
  const pieces = new Set(Array.from({ length: 1_000 }, (_, count) => shelf.get(`event-${count}`)?.body.buffer));
  const held = [...pieces].reduce((sum, piece) => sum + (piece?.byteLength ?? 0), 0);
  expect(held).toBeLessThan(1_000 * 1_300 + 262_144 * 2);
});
