// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { writeBundle } from './testing/seal.ts';
import { buildStandard } from './testing/standard-bundle.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

describe('the command', () => {
  const { root, directory, trustRootFile } = writeBundle(buildStandard());
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 20_000 });
  afterAll(() => rmSync(root, { recursive: true }));

  it('prints claims and verdict, and exits by the contract', () => {
    const { status, stdout } = run('verify', '--trust-root', trustRootFile, '--mode', 'head', directory);
    expect(status).toBe(4);
    expect(stdout).toContain('authorship      PASS');
    expect(stdout).toContain('Mode head');
  });

  it('prints one JSON value with --json', () => {
    const { status, stdout } = run('--json', directory);
    expect(JSON.parse(stdout)).toMatchObject({ exit_code: status, mode: 'full', trust_root: null });
  });

  it.each([[['--mode', 'quick', 'x']], [[]], [['--nonsense', 'x']], [['a', 'b']]])('refuses %j', (args) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(2);
    expect(stderr).toContain('usage:');
  });

  it('exits 5 for a folder that is not there', () => {
    expect(run(join(root, 'nowhere')).status).toBe(5);
  });
});
