// SPDX-License-Identifier: Apache-2.0
import { readFile, stat } from 'node:fs/promises';
import type { ClyraError } from '@clyra/core/kernel/error';

const OTHERS = 0o077;

export type OwnerFile = {
  /** What to do where the file cannot be read: which setting names it. */
  readonly advice: string;
  /** The reader's own error; the text begins with a verb, after whatever names the file. */
  readonly invalid: (what: string, cause?: unknown) => ClyraError;
};

/** The bytes of a file with secrets, which nobody but its owner may read. Rejects with what `invalid` makes. */
export async function readOwnerFile(path: string, { advice, invalid }: OwnerFile): Promise<Uint8Array> {
  let mode: number;
  let bytes: Uint8Array;
  try {
    ({ mode } = await stat(path));
    bytes = (mode & OTHERS) === 0 ? await readFile(path) : new Uint8Array();
  } catch (cause) {
    throw invalid(`cannot be read (${(cause as NodeJS.ErrnoException).code}); ${advice}`, cause);
  }
  if ((mode & OTHERS) !== 0) throw invalid(`can be read by others; run \`chmod 600 ${path}\``);
  return bytes;
}
