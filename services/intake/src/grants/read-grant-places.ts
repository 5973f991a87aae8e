// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { readOwnerFile } from '@clyra/runtime/owner-file';
import { type GrantPlaces, parseGrantPlaces } from './grant-places.ts';

/** Rejects with CLY_GRANT_PLACES_INVALID for a file that is absent, malformed, or readable by others. */
export async function readGrantPlaces(path: string | undefined): Promise<GrantPlaces> {
  if (path === undefined) return new Map();
  const advice = 'correct CLYRA_GRANT_PLACES_FILE or leave it out';
  const bytes = await readOwnerFile(path, { advice, invalid: (what, cause) => invalid(path, what, cause) });
  return parseGrantPlaces(bytes);
}

function invalid(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_GRANT_PLACES_INVALID', `the file of grant places ${path} ${what}`, {
    retry: 'never',
    cause,
  });
}
