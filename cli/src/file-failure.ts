// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** What the system says of a path that somebody named, in words. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'it, or the folder it belongs in, does not exist',
  ENOTDIR: 'a part of it is a file, not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  EROFS: 'the disk can only be read',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
  ELOOP: 'its links lead in a circle',
};

/** A failure of a file that nobody expected is no bug of the program: it names a path, and a person can see to it. */
export function fileFailure(failure: unknown): ClyraError | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { code, path, syscall, dest } = failure as Partial<NodeJS.ErrnoException> & { readonly dest?: string };
  const words = code === undefined ? undefined : WORDS[code];
  if (words === undefined || syscall === undefined) return undefined;
  const named = dest ?? path ?? 'a file';
  const what = `${named} cannot be used (${syscall}): ${words}; check the path`;
  return new ClyraError('CLY_CLI_FILE', what, { retry: 'never', context: { path: named }, cause: failure });
}
