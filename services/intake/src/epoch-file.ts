// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';

/**
 * The next epoch of this instance, durable before it is used: greater than every earlier one. It also never falls
 * behind the clock's seconds, so that a lost file does not bring an old epoch back. Rejects with CLY_EPOCH_FILE.
 */
export async function nextEpoch(path: string, nowMs: number): Promise<number> {
  const previous = await readPrevious(path);
  const epoch = Math.max(previous + 1, Math.floor(nowMs / 1_000));
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(`${epoch}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    throw epochError(path, 'cannot be written', cause);
  }
  return epoch;
}

async function readPrevious(path: string): Promise<number> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw epochError(path, 'cannot be read', cause);
  }
  if (!/^[0-9]{1,15}\n$/.test(text)) throw epochError(path, 'holds no epoch; remove it if no other intake uses it');
  return Number(text);
}

function epochError(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_EPOCH_FILE', `the epoch file ${path} ${what}`, {
    retry: 'never',
    context: { path },
    cause,
  });
}
