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
  EEXIST: 'it is there already',
  ENOTEMPTY: 'it is a folder that holds something',
  EBUSY: 'somebody else is using it',
  EIO: 'the system could not do it',
  ENXIO: 'nobody is at its other end',
  EFBIG: 'it would become too large',
  EDQUOT: 'this user may store no more',
  ETXTBSY: 'it is a program that runs',
};

/** Node says so of a file that is read whole: the system was not asked, and no path is named. */
const TOO_LARGE: ReadonlySet<unknown> = new Set(['ERR_FS_FILE_TOO_LARGE', 'ERR_STRING_TOO_LONG']);

/** A failure of a file that nobody expected is no bug of the program: it names a path, and a person can see to it. */
export function fileFailure(failure: unknown): ClyraError | undefined {
  if (typeof failure !== 'object' || failure === null) return undefined;
  const { path, dest, ...said } = failure as Failure;
  const { syscall, words } = whatFailed(said);
  if (words === undefined || syscall === undefined) return undefined;
  const named = dest ?? path ?? 'a file';
  const what = `${named} cannot be used (${syscall}): ${words}; check the path`;
  return new ClyraError('CLY_CLI_FILE', what, { retry: 'never', context: { path: named }, cause: failure });
}

type Failure = Partial<NodeJS.ErrnoException> & { readonly dest?: string };

function whatFailed({ code, syscall }: Failure): { syscall: string | undefined; words: string | undefined } {
  if (TOO_LARGE.has(code)) return { syscall: 'read', words: 'it is larger than what this command reads' };
  return { syscall, words: code === undefined ? undefined : WORDS[code] };
}
