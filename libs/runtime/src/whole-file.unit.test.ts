// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import * as promises from 'node:fs/promises';
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type FileSystem, readIfThere, wholeFiles, writeWhole } from './whole-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'clyra-whole-file-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

const path = join(folder, 'file');
let done: string[];
beforeEach(async () => {
  done = [];
  await rm(path, { force: true });
});

/** Says what is done, and of which file. */
const fs: FileSystem = {
  open: async (name, ...rest) => {
    const file = await promises.open(name, ...rest);
    const kind = name === folder ? 'folder' : 'aside';
    const sync = file.sync.bind(file);
    file.sync = () => {
      done.push(`sync ${kind}`);
      return sync();
    };
    return file;
  },
  rename: (from, to) => {
    done.push('rename');
    return promises.rename(from, to);
  },
  link: (from, to) => {
    done.push('link');
    return promises.link(from, to);
  },
  unlink: (name) => promises.unlink(name),
};

const watched = wholeFiles(fs);

describe('a file that is written whole', () => {
  it('is synced before it has its name, and its name afterwards', async () => {
    await writeFile(path, 'before');
    await watched.writeWhole(path, 'after', 0o600);
    expect(done).toEqual(['sync aside', 'rename', 'sync folder']);
    expect([await readFile(path, 'utf8'), (await stat(path)).mode & 0o777]).toEqual(['after', 0o600]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('is what a link names, and a pipe is written into: both stay what they are', async () => {
    const [link, pipe] = [join(folder, 'link'), join(folder, 'pipe')];
    await writeFile(path, 'before');
    await symlink(path, link);
    await writeWhole(link, 'after');
    expect([await readFile(path, 'utf8'), (await lstat(link)).isSymbolicLink()]).toEqual(['after', true]);
    execFileSync('mkfifo', [pipe]);
    const [read] = await Promise.all([readFile(pipe, 'utf8'), writeWhole(pipe, 'through')]);
    expect([read, (await lstat(pipe)).isFIFO()]).toEqual(['through', true]);
    await Promise.all([link, pipe].map((name) => rm(name)));
  });

  it('is made once, whoever else makes it, and nothing else stays', async () => {
    const makes = ['one', 'two', 'three'].map((content) => watched.createWhole(path, content, 0o600));
    const ends = await Promise.allSettled(makes);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = ends.find((end) => end.status === 'rejected');
    expect(lost?.reason).toMatchObject({ code: 'EEXIST' });
    expect(done).toContain('sync folder');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('is read where it is, and undefined where it is not', async () => {
    expect(await readIfThere(path)).toBeUndefined();
    await writeWhole(path, 'here');
    expect(String(await readIfThere(path))).toBe('here');
    await expect(readIfThere(folder)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
