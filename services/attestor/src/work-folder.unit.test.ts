// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WorkFolder } from './work-folder.ts';

describe('a folder for a piece of work', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'clyra-work-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  it('is there for the work and gone after it, also when that fails', async () => {
    const folders = new WorkFolder(join(root, 'below'));
    expect(await folders.use(async () => (await readdir(join(root, 'below'))).length)).toBe(1);
    await expect(folders.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await readdir(join(root, 'below'))).toEqual([]);
  });

  it('is the only one: what killed processes left behind is removed before the work, and nothing else', async () => {
    for (const folder of ['bundle-Abc123/bundle', 'left-bundle-Def456/bundle', 'other']) {
      await mkdir(join(root, folder), { recursive: true });
      await writeFile(join(root, folder, 'large'), 'x');
    }
    const seen = await new WorkFolder(root).use(() => readdir(root));
    expect(seen?.toSorted()).toEqual([expect.stringMatching(/^bundle-(?!Abc123)/), 'other']);
    expect(await readdir(root)).toEqual(['other']);
  });

  it('that another process took for left behind makes its work count for nothing', async () => {
    const folders = new WorkFolder(root);
    const made = await folders.use(async (folder) => {
      await new WorkFolder(root).use(async () => {});
      // As a file does that is laid out after that, with its folder.
      await mkdir(join(folder, 'bundle'), { recursive: true });
      await writeFile(join(folder, 'bundle', 'last'), 'x');
      return 'invalid';
    });
    expect(made).toBeUndefined();
    expect(await folders.use(async () => 'valid')).toBe('valid');
    expect(await readdir(root)).toEqual([]);
  });
});
