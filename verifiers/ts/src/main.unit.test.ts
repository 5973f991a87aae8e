// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { buildStandard } from './testing/standard-bundle.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'clyra-verify-main-'));
  const { files, trustRoot } = buildStandard();
  for (const [name, bytes] of [...files].map(([name, bytes]) => [join('bundle', name), bytes] as const)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), bytes);
  }
  writeFileSync(join(root, 'trust-root.json'), trustRoot);
});
afterAll(() => rmSync(root, { recursive: true }));

/** The exit code of one run whose output nobody reads. */
async function codeUnread(...args: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, ['--conditions=@clyra/source', MAIN, ...args], { stdio: 'pipe' });
  child.stdout.destroy();
  child.stderr.destroy();
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

describe('the verdict of a run whose output nobody reads', () => {
  it.each([[], ['--json']])('is the exit code all the same: %j', async (...options) => {
    const trust = ['--trust-root', join(root, 'trust-root.json')];
    // Nothing in it is wrong; it lacks some of what the standard policy requires.
    expect(await codeUnread('verify', ...options, ...trust, join(root, 'bundle'))).toBe(4);
    expect(await codeUnread('verify', ...options, ...trust, join(root, 'nothing'))).toBe(5);
  });

  it('is the exit code of wrong arguments as well', async () => {
    expect(await codeUnread('verify', '--nosuch')).toBe(5);
  });
});
