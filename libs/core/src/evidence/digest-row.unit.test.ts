// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import { DigestRow } from './digest-row.ts';
import { FirstOccurrence } from './first-occurrence.ts';

const MINUTES_OF_A_YEAR = 525_600;

/** Of objects; a row itself lies outside of the heap. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

describe('a row of digests', () => {
  it('finds what a map would find, in whatever order it is filled and forgets', () => {
    const step = fc.record({
      number: fc.integer({ min: 0, max: 300 }),
      version: fc.nat({ max: 2 }),
      drops: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const row = new DigestRow();
        const known = new Map<number, string>();
        for (const { number, version, drops } of steps) {
          const digest = digestOf(`${number} ${version}`);
          const before = known.get(number);
          expect(row.find(number, digest)).toBe(before === undefined ? 'none' : before === digest ? 'same' : 'other');
          row.set(number, digest);
          known.set(number, digest);
          if (drops) {
            row.dropFirst();
            known.delete(Math.min(...known.keys()));
          }
          expect(row.count).toBe(known.size);
        }
        for (const [number, digest] of known) expect(row.find(number, digest)).toBe('same');
      }),
      { numRuns: 100 },
    );
  });

  it('holds one for each minute of a year without an object for each', () => {
    const before = heapBytes();
    const row = new DigestRow();
    for (let number = 1; number <= MINUTES_OF_A_YEAR; number += 1) row.set(number, digestOf(String(number)));
    expect(heapBytes() - before).toBeLessThan(2_000_000);
    expect(row.find(1, digestOf('1'))).toBe('same');
  });
});

describe('first occurrences', () => {
  it('of any number of lines are held without an object for each', () => {
    const before = heapBytes();
    const source = new FirstOccurrence('clyra.changes/0');
    for (let offset = 0; offset < 200_000; offset += 1) source.isFirst(offset, Buffer.from(String(offset)));
    expect(heapBytes() - before).toBeLessThan(2_000_000);
    expect(source.isFirst(199_999, Buffer.from('199999'))).toBe(false);
    expect(() => source.isFirst(199_998, Buffer.from('other'))).toThrow(
      expect.objectContaining({ code: 'CLY_LOG_FORKED' }),
    );
    expect(source.isFirst(0, Buffer.from('other'))).toBe(false);
  });
});
