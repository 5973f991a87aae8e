// SPDX-License-Identifier: Apache-2.0
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
import type { FileSystem, ReadableFile } from './file-system.ts';

export type Comparison = { readonly isSame: boolean; readonly sizeGiven: number; readonly sizeFound: number };

/** Whether two files hold the same bytes, in the memory of one piece of each. */
export async function compareFiles(files: FileSystem, given: string, found: string): Promise<Comparison> {
  const ours = await files.openRead(given);
  try {
    const theirs = await files.openRead(found);
    try {
      return { isSame: await sameContent(ours, theirs), sizeGiven: ours.size, sizeFound: theirs.size };
    } finally {
      await theirs.close();
    }
  } finally {
    await ours.close();
  }
}

async function sameContent(ours: ReadableFile, theirs: ReadableFile): Promise<boolean> {
  const { size } = ours;
  if (size !== theirs.size) return false;
  const [left, right] = [Buffer.alloc(pieceOf(size)), Buffer.alloc(pieceOf(size))];
  for (let at = 0; at < size; at += left.length) {
    const [leftSize, rightSize] = await Promise.all([ours.read(left, at), theirs.read(right, at)]);
    if (leftSize !== rightSize || !left.subarray(0, leftSize).equals(right.subarray(0, rightSize))) return false;
    if (leftSize < Math.min(left.length, size - at)) return false;
  }
  return true;
}

function pieceOf(size: number): number {
  return Math.min(size, BLOB_PIECE_BYTES_MAX);
}
