// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Finding } from './finding.ts';
import { ratchet } from './ratchet.ts';

const KEY = 'function-length cli/src/a.ts#run';
const finding = (measured: number): Finding => ({
  rule: 'function-length',
  path: 'cli/src/a.ts',
  name: 'run',
  line: 7,
  measured,
  message: 'name its steps as functions',
});

describe('the allow-list', () => {
  it('lets pass exactly what it names', () => {
    expect(ratchet([finding(72)], { [KEY]: 72 })).toEqual([]);
  });

  it('refuses what it does not name, with place and advice', () => {
    expect(ratchet([finding(72)], {})).toEqual(['cli/src/a.ts:7 function-length: name its steps as functions']);
  });

  it('refuses a figure that got worse', () => {
    expect(ratchet([finding(73)], { [KEY]: 72 })).toHaveLength(1);
  });

  it('asks to be lowered when a figure got better, and to be shortened when it holds', () => {
    expect(ratchet([finding(65)], { [KEY]: 72 })).toEqual([`tools/tidy-allowlist.json: lower "${KEY}" to 65`]);
    expect(ratchet([], { [KEY]: 72 })).toEqual([`tools/tidy-allowlist.json: remove "${KEY}", it holds now`]);
  });

  it('judges the worst of several findings with one name', () => {
    expect(ratchet([finding(65), finding(80)], { [KEY]: 72 })).toHaveLength(1);
  });
});
