// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import { type GrantPlaces, parseGrantPlaces } from './grant-places.ts';

const OTHERS = 0o077;

/** Rejects with CLY_GRANT_PLACES_INVALID for a file that is absent, malformed, or readable by others. */
export async function readGrantPlaces(path: string | undefined): Promise<GrantPlaces> {
  if (path === undefined) return new Map();
  try {
    const { mode } = await stat(path);
    if ((mode & OTHERS) !== 0) throw invalid(path, `can be read by others; run \`chmod 600 ${path}\``);
    return parseGrantPlaces(await readFile(path));
  } catch (cause) {
    if (cause instanceof ClyraError) throw cause;
    const why = (cause as NodeJS.ErrnoException).code;
    throw invalid(path, `cannot be read (${why}); correct CLYRA_GRANT_PLACES_FILE or leave it out`, cause);
  }
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_GRANT_PLACES_INVALID', `the file of grant places ${path} ${what}`, {
    retry: 'never',
    cause,
  });
}
