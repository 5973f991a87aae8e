// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobStoreContract } from '@clyra/testing/contract/blob-store-contract';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FileBlobStore } from './file-blob-store.ts';
import { type FileSystem, nodeFileSystem } from './file-system.ts';

const folders: string[] = [];
async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'clyra-blob-'));
  folders.push(folder);
  return folder;
}
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

blobStoreContract('FileBlobStore', async () => new FileBlobStore(join(await freshFolder(), 'not', 'there', 'yet')));

const content = Buffer.from('the content of a blob', 'utf8');

/** A file system whose process dies at effect number `at`: before it, or (for a write) half way through it. */
function dyingAt(at: number, seen: string[]): FileSystem {
  const step = async <T>(name: string, effect: () => Promise<T>): Promise<T> => {
    if (seen.length >= at) throw new Error('killed');
    seen.push(name);
    return effect();
  };
  return {
    ...nodeFileSystem,
    makeFolder: (path) => step('makeFolder', () => nodeFileSystem.makeFolder(path)),
    writeSynced: async (path, chunks) => {
      if (seen.length === at) await nodeFileSystem.writeSynced(path, half(chunks));
      return step('writeSynced', () => nodeFileSystem.writeSynced(path, chunks));
    },
    publish: (from, to) => step('publish', () => nodeFileSystem.publish(from, to)),
    syncFolder: (path) => step('syncFolder', () => nodeFileSystem.syncFolder(path)),
    remove: (path) => step('remove', () => nodeFileSystem.remove(path)),
  };
}

async function* half(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) yield chunk.subarray(0, chunk.length / 2);
}

describe('FileBlobStore on a disk that fails', () => {
  it('shows a blob whole or not at all wherever its process is killed, and a repeat always succeeds', async () => {
    const effects: string[] = [];
    await new FileBlobStore(await freshFolder(), dyingAt(Number.POSITIVE_INFINITY, effects)).put('a/b', content);
    expect(effects.indexOf('writeSynced')).toBeLessThan(effects.indexOf('publish'));
    expect(effects.lastIndexOf('syncFolder')).toBeGreaterThan(effects.indexOf('publish'));
    for (let at = 0; at < effects.length - 1; at += 1) {
      const root = await freshFolder();
      await expect(new FileBlobStore(root, dyingAt(at, [])).put('a/b', content)).rejects.toThrow('killed');
      const after = new FileBlobStore(root);
      const found = await after.get('a/b');
      expect(found === undefined || Buffer.compare(found, content) === 0).toBe(true);
      expect(await after.list('')).toEqual(found === undefined ? [] : ['a/b']);
      await after.put('a/b', content);
      expect(await after.get('a/b')).toEqual(content);
    }
  });

  it.each(['ENOSPC', 'EDQUOT', 'EIO'])('says CLY_BLOB_UNAVAILABLE on %s, and leaves nothing behind', async (errno) => {
    const root = await freshFolder();
    const full: FileSystem = {
      ...nodeFileSystem,
      writeSynced: async (path, chunks) => {
        await nodeFileSystem.writeSynced(path, half(chunks));
        throw Object.assign(new Error(errno), { code: errno, syscall: 'write' });
      },
    };
    const put = new FileBlobStore(root, full).put('a', content);
    await expect(put).rejects.toMatchObject({ code: 'CLY_BLOB_UNAVAILABLE', retry: 'backoff', context: { errno } });
    expect(await readdir(join(root, '.staging'))).toEqual([]);
    expect(await new FileBlobStore(root).has('a')).toBe(false);
  });

  it('lets one of two writers win and tells the other that they disagree', async () => {
    const root = await freshFolder();
    const writers = ['one', 'two'].map((text) => new FileBlobStore(root).put('same', Buffer.from(text)));
    const results = await Promise.allSettled(writers);
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused.map(({ reason }) => (reason as { code: string }).code)).toEqual(['CLY_BLOB_CONFLICT']);
  });

  it('lets many writers of the same bytes succeed at once', async () => {
    const root = await freshFolder();
    const writes = Array.from({ length: 16 }, () => new FileBlobStore(root).put('deep/er/same', content));
    await expect(Promise.all(writes)).resolves.toHaveLength(16);
    expect(await new FileBlobStore(root).list('deep')).toEqual(['deep/er/same']);
  });
});
