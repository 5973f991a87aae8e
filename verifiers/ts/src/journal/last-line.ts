// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../json/json-error.ts';
import { RECORD } from '../json/parse.ts';
import { ShapeError } from '../json/shape.ts';
import type { OpenFile } from '../source/bundle-source.ts';
import { parseLine } from './line.ts';

/**
 * The append time of the journal's last line, which is the time of the cut; null when that is no decided line. It is
 * read before the others, since time-stamps and signatures of the whole are judged by it.
 */
export async function readCutTime(file: OpenFile): Promise<number | null> {
  const length = Math.min(file.size, RECORD.bytesMax + 2);
  const tail = Buffer.alloc(length);
  await file.read(tail, file.size - length);
  if (tail.at(-1) !== 0x0a) {
    return null;
  }
  const before = tail.lastIndexOf(0x0a, length - 2);
  if (length < 2 || (before < 0 && length < file.size)) {
    return null;
  }
  try {
    const line = parseLine(tail.subarray(before + 1, length - 1), { line: 0, leaf: 0 });
    return line.kind === 'decided' ? line.appendTimeMs : null;
  } catch (error) {
    if (error instanceof JsonError || error instanceof ShapeError) {
      return null;
    }
    throw error;
  }
}
