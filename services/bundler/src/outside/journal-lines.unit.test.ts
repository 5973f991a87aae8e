// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { describe, expect, it } from '@jest/globals';
import { type JournalFile, journalLines } from './journal-lines.ts';

const NAME = 'bundles/acme/0-9/journal.jsonl';
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Lines of all sizes, so that pieces end anywhere in them. */
function linesUpTo(bytes: number): string[] {
  const lines: string[] = [];
  for (let size = 0, index = 0; size < bytes; index += 1) {
    const line = `{"n":${index},"s":"${'x'.repeat((index * 7_919) % 60_000)}"}`;
    lines.push(line);
    size += line.length + 1;
  }
  return lines;
}

async function linesIn(bytes: Uint8Array, file: Partial<JournalFile> = {}): Promise<string[]> {
  const blobs = new MemoryBlobStore();
  await blobs.put(NAME, bytes);
  const lines: string[] = [];
  for await (const some of journalLines(blobs, { name: NAME, sha256: hashOf(bytes), size: bytes.length, ...file })) {
    lines.push(...some.map((line) => Buffer.from(line).toString()));
  }
  return lines;
}

describe('the lines of a sealed journal', () => {
  const lines = linesUpTo(3 * BLOB_PIECE_BYTES_MAX);
  const journal = Buffer.from(lines.map((line) => `${line}\n`).join(''));

  it('are the same wherever a piece of the file ends', async () => {
    expect(await linesIn(journal)).toEqual(lines);
    expect(await linesIn(Buffer.alloc(0))).toEqual([]);
    expect(await linesIn(Buffer.from('\n{}\n'))).toEqual(['', '{}']);
  });

  it('of a file of any size are in memory a piece at a time', async () => {
    const piece = Buffer.alloc(BLOB_PIECE_BYTES_MAX, `${'x'.repeat(1_000)}\n`);
    const hash = createHash('sha256');
    for (let count = 0; count < 64; count += 1) hash.update(piece);
    hash.update('\n');
    let asked = 0;
    const blobs = new MemoryBlobStore();
    blobs.get = () => Promise.reject(new Error('read whole'));
    blobs.read = async function* () {
      for (asked = 1; asked <= 64; asked += 1) yield piece;
      yield Buffer.from('\n');
    };
    const file = { name: NAME, sha256: hash.digest('hex'), size: 64 * piece.length + 1 };
    let batches = 0;
    for await (const some of journalLines(blobs, file)) {
      batches += 1;
      expect(asked).toBe(batches);
      expect(some.reduce((size, line) => size + line.length, 0)).toBeLessThan(piece.length + 65_536);
    }
    expect(batches).toBe(65);
  });

  it('end with an error where the file is not what its manifest says', async () => {
    const damaged = { code: 'CLY_DOCUMENT_DAMAGED', retry: 'backoff' };
    const other = Buffer.from(journal);
    other[BLOB_PIECE_BYTES_MAX] = 0x79;
    await expect(linesIn(other, { sha256: hashOf(journal) })).rejects.toMatchObject(damaged);
    const shorter = Buffer.from(`${lines.slice(0, -1).join('\n')}\n`);
    await expect(linesIn(shorter, { sha256: hashOf(journal), size: journal.length })).rejects.toMatchObject(damaged);
    await expect(linesIn(journal, { size: journal.length - 1 })).rejects.toMatchObject(damaged);
    const open = journal.subarray(0, -1);
    await expect(linesIn(open)).rejects.toMatchObject(damaged);
    await expect(linesIn(Buffer.alloc(2 * BLOB_PIECE_BYTES_MAX, 'x'))).rejects.toMatchObject(damaged);
  });

  it('end with the error of a read that is cut short', async () => {
    const blobs = new MemoryBlobStore();
    const file = { name: NAME, sha256: hashOf(journal), size: journal.length };
    await expect(journalLines(blobs, file).next()).rejects.toMatchObject({ code: 'CLY_BLOB_MISSING' });
  });
});
