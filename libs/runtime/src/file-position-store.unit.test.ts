// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { FilePositionStore } from './file-position-store.ts';

const folder = await mkdtemp(join(tmpdir(), 'clyra-positions-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('positions in a folder', () => {
  it('are there again, the newest one, and nothing else stays', async () => {
    const store = new FilePositionStore(join(folder, 'made'));
    expect(await store.load('lane-0')).toBeUndefined();
    await store.save('lane-0', { offset: 1 });
    await store.save('lane-0', { offset: 2, lines: ['ä'] });
    expect(await new FilePositionStore(join(folder, 'made')).load('lane-0')).toEqual({ offset: 2, lines: ['ä'] });
    expect(await readdir(join(folder, 'made'))).toEqual(['lane-0.position']);
  });

  it('are refused where a bit is another', async () => {
    const store = new FilePositionStore(folder);
    await store.save('flipped', { offset: 1 });
    const path = join(folder, 'flipped.position');
    const bytes = await readFile(path);
    for (const at of [0, 64, 70, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] as number) ^ 1;
      await writeFile(path, flipped);
      const isDigest = at === 64;
      // The byte between digest and content says nothing.
      if (isDigest) expect(await store.load('flipped')).toEqual({ offset: 1 });
      else await expect(store.load('flipped')).rejects.toMatchObject({ code: 'CLY_POSITION_DAMAGED', retry: 'never' });
    }
    await writeFile(path, '');
    await expect(store.load('flipped')).rejects.toMatchObject({ code: 'CLY_POSITION_DAMAGED' });
  });

  it('say so when the folder cannot be used', async () => {
    await writeFile(join(folder, 'a-file'), '');
    const store = new FilePositionStore(join(folder, 'a-file'));
    await expect(store.save('x', {})).rejects.toMatchObject({ code: 'CLY_POSITION_UNWRITTEN', retry: 'backoff' });
    await mkdir(join(folder, 'folder.position'));
    await expect(new FilePositionStore(folder).load('folder')).rejects.toMatchObject({
      code: 'CLY_POSITION_UNREADABLE',
      retry: 'backoff',
    });
  });
});
