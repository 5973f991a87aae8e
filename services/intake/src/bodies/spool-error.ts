// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

export function writeError(cause: unknown): ClyraError {
  const isFull = ['ENOSPC', 'EDQUOT'].includes(String((cause as NodeJS.ErrnoException).code));
  return isFull
    ? spoolError('CLY_SPOOL_DISK_FULL', 'the disk of the spool is full: free some room, then send it again', cause)
    : spoolError(
        'CLY_SPOOL_UNAVAILABLE',
        'the spool cannot be written: look after its disk, then send it again',
        cause,
      );
}

type SpoolCode = 'CLY_SPOOL_FULL' | 'CLY_SPOOL_DISK_FULL' | 'CLY_SPOOL_UNAVAILABLE';

export function spoolError(code: SpoolCode, message: string, cause?: unknown): ClyraError {
  return new ClyraError(code, message, { retry: 'backoff', cause });
}
