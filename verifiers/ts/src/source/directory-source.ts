// SPDX-License-Identifier: Apache-2.0
import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesMaxOf, FOLDERS, firstMissing, rankOf } from './bundle-names.ts';
import { type BundleSource, type OpenFile, ReadError, SourceError } from './bundle-source.ts';

const ENTRIES_MAX = 8_192;
type Kind = 'file' | 'folder' | 'other';

/** A folder as a bundle. Throws SourceError, ReadError or the system's error. */
export async function openDirectory(directory: string): Promise<BundleSource> {
  const entries = await listEntries(directory);
  const files = new Map<string, number>();
  for (const [name, kind] of [...entries].sort(byBytes)) {
    if (FOLDERS.has(name)) {
      requireKind(name, kind, 'folder');
      continue;
    }
    if (rankOf(name) < 0) {
      throw new SourceError('CLY_BUNDLE_FILE_UNKNOWN', name, 'is no file of a bundle');
    }
    requireKind(name, kind, 'file');
    const { size } = await lstat(join(directory, name));
    if (size > bytesMaxOf(name)) {
      throw new SourceError('CLY_BUNDLE_FILE_SIZE', name, `is larger than ${bytesMaxOf(name)} bytes`);
    }
    files.set(name, size);
  }
  requireCounts(files);
  return { files, open: (name) => openRegular(join(directory, name)), close: () => Promise.resolve() };
}

/** What every source must hold, once its files are known. */
export function requireCounts(files: ReadonlyMap<string, number>): void {
  for (const [folder, countMax] of FOLDERS) {
    const count = [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).length;
    if (count > countMax) {
      throw new SourceError('CLY_BUNDLE_FILE_COUNT', folder, `holds more than ${countMax} files`);
    }
  }
  const missing = firstMissing(files);
  if (missing !== undefined) {
    throw new SourceError('CLY_BUNDLE_FILE_MISSING', missing, 'is missing');
  }
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
    if (into.size > ENTRIES_MAX) {
      throw new SourceError('CLY_BUNDLE_FILE_COUNT', '.', `holds more than ${ENTRIES_MAX} entries`);
    }
  }
}

function kindOf(entry: Dirent): Kind {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
}

function requireKind(name: string, kind: Kind, wanted: Kind): void {
  if (kind !== wanted) {
    throw new SourceError('CLY_BUNDLE_FILE_KIND', name, wanted === 'file' ? 'is no regular file' : 'is no folder');
  }
}

function byBytes(left: readonly [string, Kind], right: readonly [string, Kind]): number {
  return Buffer.compare(Buffer.from(left[0]), Buffer.from(right[0]));
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
