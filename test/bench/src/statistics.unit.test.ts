// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { quantile, quantilesOf, spreadOf } from './statistics.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('quantiles', () => {
  it('are measured values, by nearest rank', () => {
    expect(quantilesOf(upTo(100).toReversed())).toEqual({ p50: 50, p95: 95, p99: 99 });
    expect(quantilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7 });
  });

  it('sort by size and not as text', () => {
    expect(quantilesOf([10, 9, 100]).p50).toBe(10);
  });

  it('are no number where nothing was measured', () => {
    expect(quantile([], 0.95)).toBeNaN();
    expect(spreadOf([]).median).toBeNaN();
  });
});

describe('the spread over rounds', () => {
  it('has the middle of an odd and of an even number of rounds', () => {
    expect(spreadOf([30, 10, 20])).toEqual({ median: 20, min: 10, max: 30 });
    expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  });
});
