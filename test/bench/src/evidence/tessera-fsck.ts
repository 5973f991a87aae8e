// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ForgedBundle } from './forged-bundle.ts';
import type { CommandCost } from './measured-command.ts';
import { runMeasured } from './measured-command.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const PACKAGE = 'github.com/transparency-dev/tessera/cmd/fsck';
const TENANT = 'acme';
const DEADLINE_MS = 120_000;

/** What Tessera's `fsck` takes to check the tree over the same leaves; null where it cannot be built here. */
export async function measureFsck(folder: string, bundle: ForgedBundle): Promise<CommandCost | null> {
  const program = join(folder, 'fsck');
  const built = spawnSync('go', ['build', '-o', program, PACKAGE], { cwd: join(ROOT, 'test/recipes/go-long') });
  if (built.status !== 0) {
    return null;
  }
  const clyra = (...args: readonly string[]): string =>
    execFileSync(join(ROOT, 'cli/bin/clyra'), args, { encoding: 'utf8' });
  const tiles = join(folder, 'tiles');
  clyra('export', 'tiles', bundle.bundle, '--out', tiles);
  const policy = clyra('trust', 'show', '--tlog-policy', TENANT, bundle.trustRoot);
  const key = join(folder, 'log.vkey');
  writeFileSync(key, `${/^log (\S+)$/m.exec(policy)?.[1] ?? ''}\n`);
  const args = ['--storage_url', `file://${tiles}/`, '--public_key', key, '-N', '4', '--ui=false'];
  // Its exit code says nothing: the line must be seen.
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: DEADLINE_MS });
  if (!`${stdout}${stderr}`.includes('Successfully')) {
    throw new Error(`fsck did not succeed: ${stderr}`);
  }
  return runMeasured('env', ['GOMAXPROCS=1', program, ...args], 'ignore');
}
