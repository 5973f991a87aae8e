// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';

/** A file that is open for reading. */
export interface ReadableFile {
  readonly size: number;
  /** Fills `into` from `position` on as far as the file goes; returns how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

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
  /** Rejects with EISDIR for a folder. */
  openRead(path: string): Promise<ReadableFile>;
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
  openRead: async (path) => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      // A folder opens and has a size too: the first read, even of nothing, tells.
      await file.read(new Uint8Array(1), 0, 1, 0);
      return {
        size,
        read: (into, position) => fill(file, into, position),
        close: () => file.close(),
      };
    } catch (cause) {
      await file.close();
      throw cause;
    }
  },
  isFile: async (path) => (await stat(path).catch(absentOnly))?.isFile() ?? false,
  entries: async (path) => {
    const found = await readdir(path, { withFileTypes: true });
    return found.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  },
};

/** One read may give less than was asked for before the end. */
async function fill(file: FileHandle, into: Uint8Array, position: number): Promise<number> {
  for (let filled = 0; ; ) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, position + filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === into.length) return filled;
  }
}

function absentOnly(cause: NodeJS.ErrnoException): undefined {
  if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR') throw cause;
}
