// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** The system's name for a failed call. By shape: an Error of another realm is no `instanceof Error`. */
export function errnoOf(cause: unknown): string | undefined {
  if (typeof cause !== 'object' || cause === null || !('errno' in cause || 'syscall' in cause)) return undefined;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free space or move the folder',
  EDQUOT: 'the disk quota is used up: raise it or free space',
  EACCES: 'this account may not use the folder: correct its owner or mode',
  EPERM: 'this account may not use the folder: correct its owner or mode',
  EROFS: 'the file system is read-only: mount it writable',
  EMFILE: 'too many open files: raise the limit of the process',
};

/**
 * Any failure of the disk as CLY_BLOB_UNAVAILABLE (retry: backoff): nothing was published. What already has a name
 * passes, and so does a failure of the caller's own stream, which has no errno.
 */
export function blobError(operation: 'put' | 'get' | 'read' | 'has' | 'list', name: string, cause: unknown): unknown {
  const errno = errnoOf(cause);
  if (cause instanceof ClyraError || errno === undefined) return cause;
  const advice = ADVICE[errno] ?? 'check the disk and the folder';
  return new ClyraError('CLY_BLOB_UNAVAILABLE', `blob store: ${operation} of ${name} failed with ${errno}; ${advice}`, {
    retry: 'backoff',
    context: { operation, name, errno },
    cause,
  });
}

/** Fewer or more bytes than the store said: what was read is not the blob. */
export function cutShort(name: string, bytes: { readonly read: number; readonly size: number }): ClyraError {
  return new ClyraError(
    'CLY_BLOB_UNAVAILABLE',
    `blob store: ${bytes.read} of ${bytes.size} bytes of ${name} came; check the disk or the connection`,
    { retry: 'backoff', context: { name, ...bytes } },
  );
}
