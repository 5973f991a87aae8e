// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { sha256 } from '../hash/sha256.ts';
import { readLines } from '../journal/line-reader.ts';
import { parseJson } from '../json/parse.ts';
import { closed, object, ShapeError, text } from '../json/shape.ts';
import type { OpenFile } from './bundle-source.ts';

/** A full velocity window is larger than a record (records.md §2). */
const LINE_BYTES_MAX = 2_097_152;
const BUCKETS = 256;
const readEntry = closed({ key: text, value: object });

/** The state digest (records.md §2) of a state artifact, in constant memory; closes the file. Throws JsonError or ShapeError. */
export async function digestState(file: OpenFile): Promise<string> {
  const buckets = Array.from({ length: BUCKETS }, () => createHash('sha256'));
  let previous: string | null = null;
  let line = 0;
  try {
    await readLines(file, LINE_BYTES_MAX, {
      onBytes: () => undefined,
      onLine: (bytes) => {
        line += 1;
        const { key } = readEntry(
          parseJson(bytes, { grammar: 'record', canonical: true, bytesMax: LINE_BYTES_MAX }).value,
          `line ${line}`,
        );
        if (previous !== null && key <= previous) {
          throw new ShapeError(`line ${line}`, 'must have a key above the one before');
        }
        previous = key;
        const bucket = buckets[sha256(key)[0] ?? 0] as Hash;
        bucket.update(bytes);
        bucket.update('\n');
      },
      onBroken: (what) => {
        throw new ShapeError(`line ${line + 1}`, what === 'too_long' ? 'is too long' : 'does not end with LF');
      },
    });
  } finally {
    await file.close();
  }
  const all = createHash('sha256');
  for (const bucket of buckets) {
    all.update(bucket.digest());
  }
  return all.digest('hex');
}
