// SPDX-License-Identifier: Apache-2.0
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';

/** The effects of a blob store on a disk, one by one, so that a test can stop between any two of them. */
export interface FileSystem {
  /** Creates the folder and its parents where they are missing. */
  makeFolder(path: string): Promise<void>;
  /** Writes a new file; its bytes are on the disk when it resolves. Fails where the file exists. */
  writeSynced(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Gives a file its final name, never replacing one: rejects with EEXIST. */
  publish(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  syncFolder(path: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
  isFile(path: string): Promise<boolean>;
  /** Entries of a folder with a slash behind each folder. */
  entries(path: string): Promise<readonly string[]>;
}

export const nodeFileSystem: FileSystem = {
  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },
  writeSynced: async (path, chunks) => {
    const file = await open(path, 'wx', 0o644);
    try {
      // One chunk at a time: the source is not asked for more than the disk has taken.
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  // A hard link fails where the name is taken; rename would silently replace another writer's bytes.
  publish: (from, to) => link(from, to),
  remove: (path) => unlink(path),
  syncFolder: async (path) => {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  read: (path) => readFile(path),
  isFile: async (path) => (await stat(path).catch(absentOnly))?.isFile() ?? false,
  entries: async (path) => {
    const found = await readdir(path, { withFileTypes: true });
    return found.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  },
};

function absentOnly(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
}
