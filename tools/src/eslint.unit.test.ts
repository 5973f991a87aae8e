// SPDX-License-Identifier: Apache-2.0
// Proves that our ESLint rules can fail: a small tree with one offence each is linted with the configuration of this
// repository. The direction between packages has its own proof, in boundaries.unit.test.ts.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');

type FileReport = { readonly filePath: string; readonly messages: readonly { readonly ruleId: string | null }[] };

/** The offence, the file it stands in, and the rule that must name it. */
const OFFENCES: readonly (readonly [rule: string, path: string, text: string])[] = [
  [
    '@typescript-eslint/no-floating-promises',
    'cli/src/float.ts',
    'export function go(): void {\n  Promise.reject(1);\n}\n',
  ],
  [
    '@typescript-eslint/switch-exhaustiveness-check',
    'cli/src/switch.ts',
    "export function pick(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n      return;\n  }\n}\n",
  ],
  [
    '@typescript-eslint/explicit-module-boundary-types',
    'cli/src/types.ts',
    'export function one() {\n  return 1;\n}\n',
  ],
  ['no-restricted-globals', 'libs/core/src/date.ts', 'export const now = Date.now();\n'],
  ['no-restricted-globals', 'libs/core/src/timer.ts', 'setTimeout(() => undefined, 1);\n'],
  ['no-restricted-globals', 'libs/core/src/environment.ts', 'export const home = process.env;\n'],
  ['no-restricted-properties', 'libs/core/src/random.ts', 'export const dice = Math.random();\n'],
];

function write(tree: string, path: string, text: string): void {
  mkdirSync(join(tree, dirname(path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

describe('the typed lint', () => {
  let tree = '';
  let reports: readonly FileReport[] = [];

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'clyra-eslint-'));
    copyFileSync(join(ROOT, 'eslint.config.mjs'), join(tree, 'eslint.config.mjs'));
    symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'));
    const compilerOptions = { strict: true, noEmit: true, types: ['node'], target: 'es2024', module: 'nodenext' };
    write(tree, 'tsconfig.json', JSON.stringify({ compilerOptions, include: ['cli', 'libs'] }));
    for (const [, path, text] of OFFENCES) write(tree, path, text);
    const run = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/eslint/bin/eslint.js'), '-f', 'json', 'cli', 'libs'],
      {
        cwd: tree,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', NX_DAEMON: 'false' },
        timeout: 60_000,
      },
    );
    // The boundary rule says on standard output that there is no project graph here; the report is the last line.
    reports = JSON.parse(run.stdout.trimEnd().split('\n').at(-1) ?? '[]') as readonly FileReport[];
  }, 90_000);

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(OFFENCES)('%s in %s is named', (rule, path) => {
    const report = reports.find((candidate) => candidate.filePath.endsWith(path));
    expect(report?.messages.map((message) => message.ruleId)).toEqual([rule]);
  });
});
