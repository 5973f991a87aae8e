// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** SQLSTATE of a statement that a timeout ended. */
const CANCELLED = '57014';

/** Throws what is no answer of the server, and CLY_REPLAY_SCRATCH_LIMIT for a statement that did not end in time. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof ClyraError)) throw error;
  const { sqlState } = error.context;
  if (sqlState === CANCELLED || (error.code === 'CLY_SOURCE_BUSY' && sqlState === undefined)) {
    throw new ClyraError(
      'CLY_REPLAY_SCRATCH_LIMIT',
      'a statement did not end in time and was stopped: look at what it does',
      { retry: 'never', cause: error },
    );
  }
  if (sqlState === undefined) throw error;
  return String(sqlState);
}
