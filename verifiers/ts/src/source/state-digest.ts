// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import { sha256 } from '../hash/sha256.ts';
import { readLines } from '../journal/line-reader.ts';
import { parseJson } from '../json/parse.ts';
import { closed, object, ShapeError, text } from '../json/shape.ts';
import type { OpenFile } from './bundle-source.ts';

/** A full velocity window is larger than a record (records.md §2). */
const LINE_BYTES_MAX = 2_097_152;
const GROUPS = 256;
/** The digest of a group without keys. */
const NO_KEYS = sha256('');
const readEntry = closed({ key: text, value: object });

/** The state digest (records.md §2) of a state artifact, in constant memory; closes the file. Throws JsonError or ShapeError. */
export async function digestState(file: OpenFile): Promise<string> {
  const groups: (Hash | undefined)[] = Array.from({ length: GROUPS });
  let open = { bucket: -1, key: '', hash: createHash('sha256') };
  const close = (): void => {
    if (open.bucket >= 0) {
      const group = groups[open.bucket >> 8] ?? createHash('sha256');
      groups[open.bucket >> 8] = group.update(Uint8Array.of(open.bucket & 0xff)).update(open.hash.digest());
    }
  };
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
        const name = sha256(key);
        const bucket = ((name[0] ?? 0) << 8) | (name[1] ?? 0);
        if (bucket < open.bucket || (bucket === open.bucket && key <= open.key)) {
          throw new ShapeError(`line ${line}`, 'must have a bucket and key above the ones before');
        }
        if (bucket === open.bucket) {
          open.key = key;
        } else {
          close();
          open = { bucket, key, hash: createHash('sha256') };
        }
        open.hash.update(bytes);
        open.hash.update('\n');
      },
      onBroken: (what) => {
        throw new ShapeError(`line ${line + 1}`, what === 'too_long' ? 'is too long' : 'does not end with LF');
      },
    });
  } finally {
    await file.close();
  }
  close();
  const all = createHash('sha256');
  for (const group of groups) {
    all.update(group?.digest() ?? NO_KEYS);
  }
  return all.digest('hex');
}
