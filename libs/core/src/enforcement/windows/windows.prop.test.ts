// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseDecimal } from '../../kernel/decimal.ts';
import { StateTable } from '../state-table.ts';
import { type ActionWindow, liveActions, NO_ACTIONS, withAction, withoutAction } from './action-window.ts';
import { type Sums, sumOf, withAmount } from './sum-window.ts';

const WINDOW_MS = 1_000;

describe('an action window', () => {
  it('counts exactly what a plain list of times would, through chunks, returns and time', () => {
    const step = fc.record({ wait: fc.nat({ max: 12 }), back: fc.option(fc.nat({ max: 300 }), { nil: null }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 600 }), (steps) => {
        const state = new StateTable();
        const place = { state, id: 'w' };
        let window: ActionWindow = NO_ACTIONS;
        let model: number[] = [];
        let nowMs = 10_000;
        for (const { wait, back } of steps) {
          nowMs += wait;
          model = model.filter((time) => time > nowMs - WINDOW_MS);
          const taken = back === null ? undefined : model[model.length - 1 - back];
          if (taken === undefined) {
            const next = withAction(place, window, { nowMs, windowMs: WINDOW_MS });
            state.apply(next.ops);
            window = next.window;
            model.push(nowMs);
          } else {
            const next = withoutAction(place, window, taken);
            if (next === undefined) throw new Error('what was counted can be returned');
            state.apply(next.ops);
            window = next.window;
            model.splice(model.lastIndexOf(taken), 1);
          }
          expect(liveActions(place, window, nowMs - WINDOW_MS)).toEqual({ count: model.length, oldest: model[0] });
          expect(window.times.length).toBeLessThan(128);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('forgets the chunks that have left the window', () => {
    const state = new StateTable();
    let window: ActionWindow = NO_ACTIONS;
    for (let nowMs = 1; nowMs <= 20_000; nowMs += 1) {
      const next = withAction({ state, id: 'w' }, window, { nowMs, windowMs: WINDOW_MS });
      state.apply(next.ops);
      window = next.window;
    }
    expect(state.count('velocity_chunk')).toBeLessThanOrEqual(9);
    expect(window.chunks.length).toBe(state.count('velocity_chunk'));
  });
});

describe('a sum window', () => {
  it('never counts less than the exact sum, and nothing that is older than a window and a sixtieth', () => {
    const step = fc.record({ wait: fc.nat({ max: 400 }), cents: fc.integer({ min: 0, max: 10_000_000 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
        let sums: Sums = [];
        const all: { at: number; units: bigint }[] = [];
        let nowMs = 50_000;
        for (const { wait, cents } of steps) {
          nowMs += wait;
          const units = parseDecimal((cents / 100).toFixed(2)) as bigint;
          sums = withAmount(sums, { currency: 'EUR', units }, { nowMs, windowMs: WINDOW_MS });
          all.push({ at: nowMs, units });
          const since = (ms: number): bigint =>
            all.filter(({ at }) => at > ms).reduce((sum, one) => sum + one.units, 0n);
          const counted = sumOf(sums, 'EUR', { nowMs, windowMs: WINDOW_MS });
          expect(counted >= since(nowMs - WINDOW_MS)).toBe(true);
          expect(counted <= since(nowMs - WINDOW_MS - Math.ceil(WINDOW_MS / 60) - 1)).toBe(true);
          expect(sums[0]?.[1].length ?? 0).toBeLessThanOrEqual(62);
        }
      }),
      { numRuns: 60 },
    );
  });
});
