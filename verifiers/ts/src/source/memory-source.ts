// SPDX-License-Identifier: Apache-2.0
import { FOLDERS } from './bundle-names.ts';
import type { BundleSource, OpenFile } from './bundle-source.ts';
import { addFile, inOrder, isWantedFile, requireCounts, requireEntries } from './listing.ts';

/** What stands at a path of a bundle in memory: a file's bytes, a folder, or a link, pipe or device. */
export type MemoryEntry = Uint8Array | 'folder' | 'other';

/** Bytes as a file. */
export function openMemoryFile(bytes: Uint8Array): OpenFile {
  const read = (into: Uint8Array, position: number) => {
    const part = bytes.subarray(position, position + into.length);
    into.set(part);
    return Promise.resolve(part.length);
  };
  return { size: bytes.length, read, close: () => Promise.resolve() };
}

/** Files in memory as a bundle, by the rules for a folder. Throws SourceError. */
export function openMemory(given: ReadonlyMap<string, MemoryEntry>): BundleSource {
  const entries = reachable(given);
  requireEntries(entries.size);
  const files = new Map<string, number>();
  for (const [name, entry] of inOrder(entries)) {
    if (isWantedFile(name, typeof entry === 'string' ? entry : 'file')) {
      addFile(files, name, entry.length);
    }
  }
  requireCounts(files);
  const open = (name: string) => Promise.resolve(openMemoryFile(entries.get(name) as Uint8Array));
  return { files, open, close: () => Promise.resolve() };
}

/** Folders that a bundle does not have are not entered, nor is what is no folder. */
function reachable(given: ReadonlyMap<string, MemoryEntry>): ReadonlyMap<string, MemoryEntry> {
  const entries = new Map<string, MemoryEntry>();
  for (const [path, entry] of given) {
    const slash = path.indexOf('/');
    const top = slash < 0 ? path : path.slice(0, slash);
    const isEntered = FOLDERS.has(top) && (given.get(top) ?? 'folder') === 'folder';
    if (slash < 0 || isEntered) {
      entries.set(path, entry);
    } else {
      entries.set(top, given.get(top) ?? 'folder');
    }
  }
  return entries;
}
