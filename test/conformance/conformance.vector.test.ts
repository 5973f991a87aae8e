// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { differences } from '@clyra/cli/conformance/compare';
import { readSuite } from '@clyra/cli/conformance/suite';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALL_CASES } from './all-cases.ts';
import { filesOf, SUITE_FOLDER, sharedFiles, verdictOf } from './suite-files.ts';

const committed = readSuite(SUITE_FOLDER);

describe('the conformance suite', () => {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'clyra-suite-'));
  });
  afterAll(() => {
    rmSync(scratch, { recursive: true });
    const byExit = new Map<number, number>();
    for (const { expect: wanted } of committed) {
      byExit.set(wanted.exit_code, (byExit.get(wanted.exit_code) ?? 0) + 1);
    }
    const counts = [...byExit].sort().map(([exit, count]) => `${count} with exit ${exit}`);
    process.stdout.write(`conformance suite: ${committed.length} cases, ${counts.join(', ')}\n`);
  });

  it('is what its cases make, byte for byte', () => {
    for (const [name, content] of sharedFiles()) {
      expect([name, readFileSync(join(SUITE_FOLDER, name)).equals(content)]).toEqual([name, true]);
    }
    expect(committed.map(({ name }) => name)).toEqual(ALL_CASES.map(({ name }) => name).sort());
    for (const one of ALL_CASES) {
      const folder = join(SUITE_FOLDER, one.name);
      const { files, about } = filesOf(one);
      expect(readdirSync(folder).sort()).toEqual([...files.keys(), 'README.md', 'case.json'].sort());
      for (const [name, content] of files) {
        expect([one.name, name, readFileSync(join(folder, name)).equals(content)]).toEqual([one.name, name, true]);
      }
      const { expect: _, ...stated } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
      expect(stated).toEqual(JSON.parse(JSON.stringify(about)));
    }
  });

  it.each(committed.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    expect(differences(one.expect, await verdictOf(one, scratch))).toEqual([]);
  });
});
