// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Credentials } from './gateway/authenticate.ts';
import { parseCredentials } from './gateway/credentials.ts';

const OTHERS = 0o077;

/** Rejects with CLY_CREDENTIALS_INVALID for a file that is absent, malformed, or readable by others. */
export async function readCredentialsFile(path: string): Promise<Credentials> {
  let bytes: Uint8Array;
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) throw invalid(path, `can be read by others; run \`chmod 600 ${path}\``);
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof ClyraError) throw cause;
    throw invalid(path, `cannot be read (${(cause as NodeJS.ErrnoException).code}); set CLYRA_CREDENTIALS_FILE`, cause);
  }
  return parseCredentials(bytes);
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_CREDENTIALS_INVALID', `the credentials file ${path} ${what}`, { retry: 'never', cause });
}
