// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { inTarOrder, TAR_END, TAR_FILE_BYTES_MAX, tarHeader, tarPadding } from './ustar.ts';

describe('a bundle as one file', () => {
  it('is what tar itself reads, file by file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ustar-'));
    try {
      const files = new Map([
        ['journal.jsonl', Buffer.from('{"a":1}\n')],
        ['manifest.json', Buffer.from('{}')],
        [`artifacts/${digestOf('x')}`, Buffer.alloc(1_500, 7)],
      ]);
      const parts = inTarOrder([...files.keys()]).flatMap((name) => {
        const bytes = files.get(name) ?? Buffer.alloc(0);
        return [tarHeader(name, bytes.length), bytes, tarPadding(bytes.length)];
      });
      writeFileSync(join(folder, 'b.tar'), Buffer.concat([...parts, TAR_END]));
      execFileSync('tar', ['-xf', 'b.tar'], { cwd: folder });
      for (const [name, bytes] of files) expect(readFileSync(join(folder, name)).equals(bytes)).toBe(true);
      const listed = execFileSync('tar', ['-tf', 'b.tar'], { cwd: folder, encoding: 'utf8' }).trim().split('\n');
      expect(listed).toEqual(inTarOrder([...files.keys()]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('holds the journal last, and no file that a bundle does not have', () => {
    expect(inTarOrder(['journal.jsonl', 'times/b.tsr', 'times/a.tsr', 'manifest.json'])).toEqual([
      'manifest.json',
      'times/a.tsr',
      'times/b.tsr',
      'journal.jsonl',
    ]);
    expect(() => inTarOrder(['manifest.json', 'notes.txt'])).toThrow(
      expect.objectContaining({ code: 'CLY_BUNDLE_TAR' }),
    );
  });

  it('has a limit for each file', () => {
    expect(tarHeader('journal.jsonl', TAR_FILE_BYTES_MAX).length).toBe(512);
    expect(() => tarHeader('journal.jsonl', TAR_FILE_BYTES_MAX + 1)).toThrow(
      expect.objectContaining({ code: 'CLY_BUNDLE_TAR' }),
    );
  });
});
