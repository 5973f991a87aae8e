// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { versionEffect } from './version-effect.ts';

const NONE = { inserts: 0, updates: 0, deletes: 0, truncates: 0 };
const of = (operation: string, facts: Partial<Parameters<typeof versionEffect>[0]> = {}) =>
  versionEffect({ operation, parameters: {}, metrics: {}, changesData: undefined, ...facts });

describe('the effect of a version', () => {
  it('replaces all rows, unless it is shown that it appends', () => {
    const metrics = { numOutputRows: '4' };
    expect(of('WRITE', { metrics, parameters: { mode: 'Append' } }).counts).toEqual({ ...NONE, inserts: 4 });
    expect(of('WRITE', { metrics, parameters: { mode: 'Overwrite' } }).counts).toEqual({
      ...NONE,
      inserts: 4,
      truncates: 1,
    });
    expect(of('WRITE', { metrics, parameters: null }).counts).toEqual({ ...NONE, inserts: 4, truncates: 1 });
  });

  it('is the least that the operation means where no numbers are shown', () => {
    expect(of('MERGE', { metrics: null })).toMatchObject({
      countsUnknown: true,
      counts: { inserts: 1, updates: 1, deletes: 1 },
    });
    expect(of('DELETE', { metrics: null })).toMatchObject({ countsUnknown: true, counts: { deletes: 1 } });
    // Whole files dropped: Delta counts no rows then.
    expect(of('DELETE', { metrics: { numRemovedFiles: '3' } })).toMatchObject({ countsUnknown: true });
  });

  it('of maintenance is none, unless the file shows that rows changed', () => {
    for (const operation of ['OPTIMIZE', 'VACUUM START', 'VACUUM END']) {
      expect(of(operation, { changesData: false })).toEqual({ counts: NONE, countsUnknown: false, maintenance: true });
      expect(of(operation, { changesData: true })).toMatchObject({ maintenance: false, counts: { updates: 1 } });
    }
  });

  it('of what is not known is a change of the table', () => {
    expect(of('CLONE').counts).toEqual({ ...NONE, ddl: 1 });
    expect(of('SOMETHING NEW', { changesData: true }).counts).toEqual({ ...NONE, ddl: 1, truncates: 1 });
    expect(of('OPTIMIZER').maintenance).toBe(false);
  });
});
