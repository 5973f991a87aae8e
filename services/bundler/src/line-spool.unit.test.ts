// SPDX-License-Identifier: Apache-2.0
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { describe, expect, it } from '@jest/globals';
import { LineSpool } from './line-spool.ts';

async function textOf(spool: LineSpool): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of spool.content()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('lines of an open range', () => {
  it('are copies: the fetch that brought them, with the lines of other tenants, can go', async () => {
    const fetched = Buffer.from('{"n":0}{"n":1}');
    const spool = new LineSpool(new MemoryBlobStore(), 1_000);
    spool.append(fetched.subarray(0, 7));
    spool.append(fetched.subarray(7));
    fetched.fill(0);
    expect(await textOf(spool)).toBe('{"n":0}\n{"n":1}\n');
  });

  it('are the same file, however often they were moved out', async () => {
    const lines = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(index * 7)}`);
    for (const bytesMax of [1, 999, 20_000, 10_000_000]) {
      const spool = new LineSpool(new MemoryBlobStore(), bytesMax);
      for (const line of lines) {
        spool.append(Buffer.from(line));
        if (spool.isFull) await spool.spill();
      }
      expect(await textOf(spool)).toBe(`${lines.join('\n')}\n`);
      spool.clear();
      expect(await textOf(spool)).toBe('');
    }
  });
});
