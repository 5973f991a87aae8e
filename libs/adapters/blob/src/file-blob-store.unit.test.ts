// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
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

const rootOf = (folder: string): string => join(folder, 'not', 'there', 'yet');
blobStoreContract(
  'FileBlobStore',
  async () => new FileBlobStore(rootOf(await freshFolder())),
  async (name) => {
    const path = join(rootOf(folders.at(-1) ?? ''), name);
    await truncate(path, Math.floor((await stat(path)).size / 2));
  },
);

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

const LARGE_BYTES = 3 * 1_024 ** 3;

/** A file that is larger than memory and than what one read gives. It counts what is asked of it. */
function hugeFile(counts: { reads: number; open: number }, answers = true): FileSystem {
  return {
    ...nodeFileSystem,
    read: () => Promise.reject(new Error('read whole')),
    openRead: async () => {
      counts.open += 1;
      return {
        size: LARGE_BYTES,
        read: async (into) => {
          counts.reads += 1;
          return answers ? into.length : new Promise<number>(() => {});
        },
        close: async () => {
          counts.open -= 1;
        },
      };
    },
  };
}

describe('FileBlobStore and a file larger than memory', () => {
  it('reads the next piece only once it is asked for, and holds none', async () => {
    const counts = { reads: 0, open: 0 };
    let [size, pieces] = [0, 0];
    for await (const piece of new FileBlobStore('/none', hugeFile(counts)).read('a')) {
      pieces += 1;
      size += piece.length;
      expect([piece.length, counts.reads]).toEqual([BLOB_PIECE_BYTES_MAX, pieces]);
    }
    expect([size, counts.open]).toEqual([LARGE_BYTES, 0]);
  });

  it('closes it when its reader stops early', async () => {
    const counts = { reads: 0, open: 0 };
    for await (const _ of new FileBlobStore('/none', hugeFile(counts)).read('a')) break;
    expect(counts).toEqual({ reads: 1, open: 0 });
  });

  it('does not wait for ever for a disk that does not answer', async () => {
    const counts = { reads: 0, open: 0 };
    const pieces = new FileBlobStore('/none', hugeFile(counts, false), 20).read('a')[Symbol.asyncIterator]();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'CLY_BLOB_UNAVAILABLE', retry: 'backoff' });
    expect(counts.open).toBe(0);
  });

  it('compares what stands under a name without reading either file whole', async () => {
    const root = await freshFolder();
    const files: FileSystem = { ...nodeFileSystem, read: () => Promise.reject(new Error('read whole')) };
    const bytes = Buffer.alloc(2 * BLOB_PIECE_BYTES_MAX + 1, 7);
    await new FileBlobStore(root, files).put('a', bytes);
    await new FileBlobStore(root, files).put('a', bytes);
    for (const at of [0, BLOB_PIECE_BYTES_MAX, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = 8;
      await expect(new FileBlobStore(root, files).put('a', other)).rejects.toMatchObject({ code: 'CLY_BLOB_CONFLICT' });
    }
    const longer = new FileBlobStore(root, files).put('a', Buffer.alloc(bytes.length + 1, 7));
    await expect(longer).rejects.toMatchObject({ code: 'CLY_BLOB_CONFLICT' });
  });
});
