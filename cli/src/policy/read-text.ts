// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ClyraError } from '@clyra/core/kernel/error';

/** A file that an argument names. Throws CLY_CLI_FILE where it cannot be read. */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('utf8');
}

export async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new ClyraError('CLY_CLI_FILE', `${path} cannot be read: check the path`, { retry: 'never', cause });
  }
}
