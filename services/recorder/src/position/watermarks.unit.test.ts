// SPDX-License-Identifier: Apache-2.0
import { formatLsn } from '@clyra/adapter-postgres/lsn';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Watermarks } from './watermarks.ts';

const markAt = (at: number) => {
  return { systemId: '1', timeline: 1, lsn: formatLsn(BigInt(at)), coversUntilMs: at, publicationState: '' };
};

describe('marks that wait', () => {
  it('come off once the stream has passed them, the newest of them in place of all', () => {
    const step = fc.oneof(fc.record({ mark: fc.nat(40) }), fc.record({ passed: fc.nat(40) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const marks = new Watermarks();
        let [flushed, read]: [number, number] = [0, 0];
        let waiting: number[] = [];
        for (const one of steps) {
          if ('mark' in one) {
            // A server's position never goes back, nor does what the stream has read.
            flushed += one.mark;
            marks.add(markAt(flushed));
            if (waiting.length < 64) waiting.push(flushed);
          } else {
            read += one.passed;
            const newest = waiting.filter((at) => at <= read).at(-1);
            waiting = waiting.filter((at) => at > read);
            expect(marks.passed(BigInt(read))?.coversUntilMs).toBe(newest);
          }
        }
      }),
    );
  });
});
