// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { judge } from './tidy/judge.ts';
import { type AllowList, ratchet } from './tidy/ratchet.ts';
import { readSources } from './tidy/read-sources.ts';

const ROOT = join(import.meta.dirname, '../..');

describe('the style of this repository', () => {
  const sources = readSources(ROOT);

  it('reads the repository at all', () => {
    expect(sources.map((source) => source.path)).toEqual(expect.arrayContaining(['tools/src/tidy.unit.test.ts']));
    expect(sources.filter((source) => source.syntax !== undefined).length).toBeGreaterThan(20);
  });

  it('is as CONTRIBUTING.md asks; each line says what to do', () => {
    const allowed = JSON.parse(readFileSync(join(ROOT, 'tools/tidy-allowlist.json'), 'utf8')) as AllowList;
    expect(ratchet(judge(sources), allowed)).toEqual([]);
  });
});
