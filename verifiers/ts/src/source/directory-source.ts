// SPDX-License-Identifier: Apache-2.0
import { closeSync, constants, type Dirent, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { FOLDERS } from './bundle-names.ts';
import { type BundleSource, type OpenFile, ReadError } from './bundle-source.ts';
import { addFile, inOrder, isWantedFile, type Kind, requireCounts, requireEntries } from './listing.ts';

/*
 * Files are read without Node's pool of threads: its threads and modules would take more time than the reading itself, and
 * memory. A service that verifies goes on with other things between two reads.
 */

/** A folder as a bundle. Throws SourceError, ReadError or the system's error. */
export function openDirectory(directory: string): BundleSource {
  const files = new Map<string, number>();
  for (const [name, kind] of inOrder(listEntries(directory))) {
    if (isWantedFile(name, kind)) {
      const { size } = lstatSync(join(directory, name));
      addFile(files, name, size);
    }
  }
  requireCounts(files);
  return { files, open: async (name) => openRegular(join(directory, name)), close: () => Promise.resolve() };
}

function listEntries(directory: string): Map<string, Kind> {
  const entries = new Map<string, Kind>();
  addEntries(entries, directory, '');
  for (const folder of FOLDERS.keys()) {
    if (entries.get(folder) === 'folder') {
      addEntries(entries, join(directory, folder), `${folder}/`);
    }
  }
  return entries;
}

function addEntries(into: Map<string, Kind>, directory: string, prefix: string): void {
  const folder = opendirSync(directory);
  try {
    for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
      into.set(`${prefix}${entry.name}`, kindOf(entry));
      requireEntries(into.size);
    }
  } finally {
    folder.closeSync();
  }
}

function kindOf(entry: Dirent): Kind {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
}

/** Opens a regular file and follows no link: one inside a bundle could lead out of it. */
export function openRegular(path: string, follow: 'follow' | 'refuse' = 'refuse'): OpenFile {
  const links = follow === 'refuse' ? constants.O_NOFOLLOW : 0;
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | links);
  const stat = fstatSync(file);
  if (!stat.isFile()) {
    closeSync(file);
    throw new ReadError(`${path} is no regular file`);
  }
  return {
    size: stat.size,
    read: async (into, position) => {
      await othersTurn();
      return readFully(file, into, position);
    },
    close: async () => closeSync(file),
  };
}

function readFully(file: number, into: Uint8Array, position: number): number {
  let filled = 0;
  while (filled < into.length) {
    const bytesRead = readSync(file, into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return filled;
}

function othersTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
