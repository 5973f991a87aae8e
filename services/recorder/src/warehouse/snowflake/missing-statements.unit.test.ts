// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { MissingStatements } from './missing-statements.ts';

describe('statements that only other views name', () => {
  it('are overdue after the patience since they were first missed, under their later time', () => {
    const missing = new MissingStatements(100);
    missing.name('q1', 5, 1_000);
    missing.name('q1', 7, 1_050);
    missing.name('q2', 9, 1_050);
    expect([...missing.overdue(1_099)]).toEqual([]);
    expect([...missing.overdue(1_100)]).toEqual([['q1', 7]]);
  });

  it('stay overdue until they are settled: the look in which they were found may have failed', () => {
    const missing = new MissingStatements(100);
    missing.name('q1', 5, 0);
    missing.name('q2', 6, 0);
    expect([...missing.overdue(100).keys()]).toEqual(['q1', 'q2']);
    expect([...missing.overdue(200).keys()]).toEqual(['q1', 'q2']);
    missing.settle((queryId, atMs) => queryId === 'q1' && atMs === 5);
    expect([...missing.overdue(200).keys()]).toEqual(['q2']);
  });

  it('are refused beyond the limit, and taken again where one of them is settled', () => {
    const missing = new MissingStatements(100, 2);
    expect([missing.name('q1', 1, 0), missing.name('q2', 2, 0), missing.name('q3', 3, 0)]).toEqual([true, true, false]);
    expect(missing.name('q2', 4, 0)).toBe(true);
    missing.settle((queryId) => queryId === 'q1');
    expect(missing.name('q3', 3, 0)).toBe(true);
  });
});
