// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = resolve(import.meta.dirname, '../..');
const SCRIPTS = join(ROOT, 'test/differential');
const GO = join(ROOT, 'verifiers/go');
const PYTHON = join(ROOT, 'verifiers/python');
const NODE = ['--conditions=@clyra/source'];
/** `make test-long` sets them. */
const MUTATIONS = process.env.CLYRA_MUTATIONS ?? '4000';
const TICKS = process.env.CLYRA_FLIP_TICKS ?? '0';
const UNITS = process.env.CLYRA_FLIP_UNITS;
const PROCESSES = Number(process.env.CLYRA_DIFFERENTIAL_PROCESSES ?? '1');
/** The third verifier takes some 50 ms for what the others take 3 for. */
const THIRD_EVERY = Number(MUTATIONS) > 10_000 ? '200' : '80';
const TIMEOUT_MS = 3_600_000;

type Ended = { readonly status: number | null; readonly output: string };

function run(command: string, args: readonly string[], { cwd = ROOT, env = {} } = {}): Promise<Ended> {
  return new Promise((settle, refuse) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, GOGC: '400', ...env },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', refuse);
    child.on('close', (status) => settle({ status, output }));
  });
}

async function compare(heavy: string): Promise<Ended> {
  const environment = await run('sh', [join(PYTHON, 'environment.sh')]);
  expect(environment).toMatchObject({ status: 0 });
  const other = [process.execPath, ...NODE, join(SCRIPTS, 'packed-verifier.ts')].join(' ');
  const third = `${environment.output.trim()} -B -m clyra_verify`;
  const folders = [join(ROOT, 'schemas/vectors/bundles'), heavy].join(',');
  const sources = [join(GO, 'internal'), join(ROOT, 'verifiers/ts/src')].join(',');
  const args = [
    ...['run', './cmd/clyra-mutate', '-suite', folders, '-codes', sources, '-every'],
    ...['-other', other, '-processes', String(PROCESSES), '-count', MUTATIONS],
    ...['-third', third, '-third-every', THIRD_EVERY],
  ];
  return run('go', args, { cwd: GO, env: { PYTHONPATH: PYTHON } });
}

describe('all verifiers', () => {
  it(
    `give the same verdict on ${MUTATIONS} mutations (the third on each ${THIRD_EVERY}th), and every claim code comes up`,
    async () => {
      const heavy = mkdtempSync(join(tmpdir(), 'clyra-heavy-'));
      try {
        expect(await run(process.execPath, [...NODE, join(SCRIPTS, 'heavy-case.ts'), heavy])).toMatchObject({
          status: 0,
        });
        const compared = await compare(heavy);
        process.stdout.write(compared.output);
        expect(compared.output).toContain('differences: 0\n');
        expect(compared.output).toMatch(/^[1-9][0-9]* of them judged by the third verifier too/m);
        expect(compared).toMatchObject({ status: 0 });
      } finally {
        rmSync(heavy, { recursive: true });
      }
    },
    TIMEOUT_MS,
  );
});

type Flips = Readonly<Record<'size' | 'flips', number>> & {
  readonly unbent: string;
  readonly passed: readonly string[];
  readonly refused: readonly string[];
};

/** Flips a share of the bits in each process. */
async function flipAll(): Promise<readonly Flips[]> {
  const parts = Array.from({ length: PROCESSES }, (_, part) => [TICKS, String(part), String(PROCESSES)]);
  const ended = await Promise.all(
    parts.map((part) => run(process.execPath, [...NODE, join(SCRIPTS, 'flip-bundle.ts'), ...part])),
  );
  return ended.map(({ output }) => JSON.parse(output));
}

describe('a bundle with one bit flipped', () => {
  it(
    'is refused by the TypeScript verifier, whichever bit it is',
    async () => {
      const all = await flipAll();
      for (const { unbent, passed, refused } of all) {
        expect(unbent).toMatch(/^exit 0;/);
        expect(passed).toEqual([]);
        // What nobody signed may say anything.
        expect(refused).toEqual([]);
      }
      const [{ size }] = all as [Flips];
      const flips = all.reduce((sum, part) => sum + part.flips, 0);
      process.stdout.write(`TypeScript: ${flips} flips of ${size} bytes\n`);
      expect(flips).toBe(8 * size);
      expect(size).toBeLessThanOrEqual(TICKS === '0' ? 8_192 : 65_536);
    },
    TIMEOUT_MS,
  );

  // The small bundle is flipped in Go's own tier.
  const large = UNITS === undefined ? it.skip : it;
  large(
    'is refused by the Go verifier, whichever bit it is, at a larger size too',
    async () => {
      const args = ['test', '-count=1', '-timeout=60m', '-v', '-run', 'TestEveryFlippedBitFails', './internal/suite'];
      const ended = await run('go', args, { cwd: GO });
      const [, flips, size] = /(\d+) flips of (\d+) bytes/.exec(ended.output) ?? [];
      process.stdout.write(`Go: ${flips} flips of ${size} bytes\n`);
      expect(ended).toMatchObject({ status: 0 });
      expect(Number(size)).toBeGreaterThan(32_768);
      expect(Number(size)).toBeLessThanOrEqual(65_536);
    },
    TIMEOUT_MS,
  );
});
