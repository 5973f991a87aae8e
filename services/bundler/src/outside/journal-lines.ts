// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { RECORD_BYTES_MAX } from '@clyra/core/canonical/record';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';

/** A journal file as its manifest names it. */
export type JournalFile = { readonly name: string; readonly sha256: string; readonly size: number };

const LF = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * The lines of a journal without their LF, as many at a time as a piece of the file holds. Nothing that was made of them
 * may be used before the end: only there it is known that the file is the one its manifest names. Throws
 * CLY_DOCUMENT_DAMAGED (retry: backoff) where it is not, and as a read from the blob store does.
 */
export async function* journalLines(blobs: BlobStore, file: JournalFile): AsyncGenerator<readonly Uint8Array[]> {
  const hash = createHash('sha256');
  let size = 0;
  let rest = NOTHING;
  for await (const piece of blobs.read(file.name)) {
    hash.update(piece);
    size += piece.length;
    const text = Buffer.concat([rest, piece]);
    const end = text.lastIndexOf(LF) + 1;
    yield linesOf(text.subarray(0, end));
    rest = text.subarray(end);
    if (rest.length > RECORD_BYTES_MAX) throw damaged(file);
  }
  if (rest.length > 0 || !isFile(file, { hash, size })) throw damaged(file);
}

function isFile(file: JournalFile, read: { readonly hash: Hash; readonly size: number }): boolean {
  return read.size === file.size && read.hash.digest('hex') === file.sha256;
}

function linesOf(text: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(LF, from);
    lines.push(text.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

function damaged({ name }: JournalFile): ClyraError {
  return new ClyraError('CLY_DOCUMENT_DAMAGED', `${name} is not what its manifest says: restore it`, {
    retry: 'backoff',
    context: { name },
  });
}
