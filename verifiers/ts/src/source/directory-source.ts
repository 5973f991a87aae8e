// SPDX-License-Identifier: Apache-2.0
import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { FOLDERS } from './bundle-names.ts';
import { type BundleSource, type OpenFile, ReadError } from './bundle-source.ts';
import { addFile, inOrder, isWantedFile, type Kind, requireCounts, requireEntries } from './listing.ts';

/** A folder as a bundle. Throws SourceError, ReadError or the system's error. */
export async function openDirectory(directory: string): Promise<BundleSource> {
  const files = new Map<string, number>();
  for (const [name, kind] of inOrder(await listEntries(directory))) {
    if (isWantedFile(name, kind)) {
      const { size } = await lstat(join(directory, name));
      addFile(files, name, size);
    }
  }
  requireCounts(files);
  return { files, open: (name) => openRegular(join(directory, name)), close: () => Promise.resolve() };
}

async function listEntries(directory: string): Promise<Map<string, Kind>> {
  const entries = new Map<string, Kind>();
  await addEntries(entries, directory, '');
  for (const folder of FOLDERS.keys()) {
    if (entries.get(folder) === 'folder') {
      await addEntries(entries, join(directory, folder), `${folder}/`);
    }
  }
  return entries;
}

async function addEntries(into: Map<string, Kind>, directory: string, prefix: string): Promise<void> {
  for await (const entry of await opendir(directory)) {
    into.set(`${prefix}${entry.name}`, kindOf(entry));
    requireEntries(into.size);
  }
}

function kindOf(entry: Dirent): Kind {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
}

/** Opens a regular file and follows no link: one inside a bundle could lead out of it. */
export async function openRegular(path: string, follow: 'follow' | 'refuse' = 'refuse'): Promise<OpenFile> {
  const links = follow === 'refuse' ? constants.O_NOFOLLOW : 0;
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
  const { size, isRegular } = await statOf(handle);
  if (!isRegular) {
    await handle.close();
    throw new ReadError(`${path} is no regular file`);
  }
  return { size, read: (into, position) => readFully(handle, into, position), close: () => handle.close() };
}

async function statOf(handle: FileHandle): Promise<{ size: number; isRegular: boolean }> {
  const stat = await handle.stat();
  return { size: stat.size, isRegular: stat.isFile() };
}

export async function readFully(handle: FileHandle, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return filled;
}
