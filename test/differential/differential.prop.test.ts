// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPTS = join(ROOT, 'test/differential');
const NODE = ['--conditions=@clyra/source'];
/** `make test-long` sets both. */
const MUTATIONS = process.env.CLYRA_MUTATIONS ?? '4000';
const TICKS = process.env.CLYRA_FLIP_TICKS ?? '0';
const TIMEOUT_MS = 3_600_000;

function run(command: string, args: readonly string[], cwd: string): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, GOGC: '400' },
  });
  return { status, output: `${stdout}${stderr}${error === undefined ? '' : String(error)}` };
}

describe('both verifiers', () => {
  it(
    `give the same verdict on ${MUTATIONS} mutations, and every claim code comes up`,
    () => {
      const heavy = mkdtempSync(join(tmpdir(), 'clyra-heavy-'));
      try {
        expect(run(process.execPath, [...NODE, join(SCRIPTS, 'heavy-case.ts'), heavy], ROOT)).toMatchObject({
          status: 0,
        });
        const other = [process.execPath, ...NODE, join(SCRIPTS, 'packed-verifier.ts')].join(' ');
        const folders = [join(ROOT, 'schemas/vectors/bundles'), heavy].join(',');
        const sources = [join(ROOT, 'verifiers/go/internal'), join(ROOT, 'verifiers/ts/src')].join(',');
        const compared = run(
          'go',
          [
            ...['run', './cmd/clyra-mutate', '-suite', folders, '-codes', sources, '-every'],
            ...['-other', other, '-count', MUTATIONS],
          ],
          join(ROOT, 'verifiers/go'),
        );
        process.stdout.write(compared.output);
        expect(compared.output).toContain('differences: 0\n');
        expect(compared).toMatchObject({ status: 0 });
      } finally {
        rmSync(heavy, { recursive: true });
      }
    },
    TIMEOUT_MS,
  );
});

describe('a bundle with one bit flipped', () => {
  it(
    'is refused by the TypeScript verifier, whichever bit it is',
    () => {
      const { output } = run(process.execPath, [...NODE, join(SCRIPTS, 'flip-bundle.ts'), TICKS], ROOT);
      const { unbent, size, flips, passed, refused } = JSON.parse(output);
      expect(unbent).toMatch(/^exit 0;/);
      expect(passed).toEqual([]);
      // What nobody signed may say anything.
      expect(refused).toEqual([]);
      expect(flips).toBe(8 * size);
      expect(size).toBeLessThanOrEqual(TICKS === '0' ? 8_192 : 65_536);
    },
    TIMEOUT_MS,
  );
});
