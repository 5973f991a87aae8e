// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
const INSTALL_DEADLINE_MS = 240_000;

/** The folder of a virtual environment for exactly these requirements, made once on a machine and seen whole or not at all. */
export async function pythonEnvironment(name: string, requirements: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 12);
  const folder = join(CACHE, `clyra-${name}-${digest}`);
  if (existsSync(join(folder, 'whole'))) return folder;
  await mkdir(CACHE, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', folder], { timeout: INSTALL_DEADLINE_MS });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--disable-pip-version-check'];
  await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', ...options, '-r', requirements], {
    timeout: INSTALL_DEADLINE_MS,
  });
  await mkdir(join(folder, 'making'));
  await rename(join(folder, 'making'), join(folder, 'whole'));
  return folder;
}
