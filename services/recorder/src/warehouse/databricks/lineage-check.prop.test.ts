// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { placeOf } from '../observed-statement.ts';
import { NEAR_MS, unexplainedLineage } from './lineage-check.ts';

const HOURS = 40;
const atMs = fc.integer({ min: 0, max: HOURS * 6 }).map((tenMinutes) => tenMinutes * NEAR_MS);
const table = fc.constantFrom('a.b.one', 'a.b.two');
const versions = fc.array(fc.record({ table, atMs }), { maxLength: 12 });
const lineage = fc.uniqueArray(fc.record({ target: table, atMs, sources: fc.constant([]) }), {
  maxLength: 40,
  selector: ({ target, atMs: at }) => `${target} ${at}`,
});

describe('lineage that no version explains', () => {
  it('is the same however many writes an answer holds', async () => {
    await fc.assert(
      fc.asyncProperty(
        versions,
        lineage,
        fc.integer({ min: 3, max: 50 }),
        atMs,
        async (shown, events, countMax, fromMs) => {
          const untilMs = fromMs + 20 * NEAR_MS;
          const inOrder = events.toSorted((left, right) => left.atMs - right.atMs);
          const gaps = await unexplainedLineage(
            async (pageMs, count) => inOrder.filter((event) => event.atMs >= pageMs).slice(0, count),
            { versions: shown, fromMs, untilMs, countMax },
          );
          const unexplained = inOrder.filter(
            (event) =>
              event.atMs >= fromMs + NEAR_MS &&
              event.atMs <= untilMs &&
              !shown.some((one) => one.table === event.target && Math.abs(one.atMs - event.atMs) <= NEAR_MS),
          );
          expect(gaps?.map(({ from }) => from)).toEqual(
            unexplained.map(({ target, atMs: at }) => `${target} ${placeOf(at)}`),
          );
        },
      ),
    );
  });

  it('is unknown where there is no lineage', async () => {
    const range = { versions: [], fromMs: 0, untilMs: 1, countMax: 3 };
    expect(await unexplainedLineage(async () => undefined, range)).toBeUndefined();
  });
});
