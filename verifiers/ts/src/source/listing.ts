// SPDX-License-Identifier: Apache-2.0
import { bytesMaxOf, FOLDERS, firstMissing, rankOf } from './bundle-names.ts';
import { SourceError } from './bundle-source.ts';

/** What stands at a path. */
export type Kind = 'file' | 'folder' | 'other';

const ENTRIES_MAX = 8_192;

export function requireEntries(count: number): void {
  if (count > ENTRIES_MAX) {
    throw new SourceError('CLY_BUNDLE_FILE_COUNT', '.', `holds more than ${ENTRIES_MAX} entries`);
  }
}

/** Entries ascending by the bytes of their paths: the first one at fault decides. */
export function inOrder<T>(entries: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...entries].sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

/** False for one of the three folders. Throws SourceError for what may not stand in a bundle. */
export function isWantedFile(name: string, kind: Kind): boolean {
  const isFolder = FOLDERS.has(name);
  if (!isFolder && rankOf(name) < 0) {
    throw new SourceError('CLY_BUNDLE_FILE_UNKNOWN', name, 'is no file of a bundle');
  }
  if (kind !== (isFolder ? 'folder' : 'file')) {
    throw new SourceError('CLY_BUNDLE_FILE_KIND', name, isFolder ? 'is no folder' : 'is no regular file');
  }
  return !isFolder;
}

export function addFile(files: Map<string, number>, name: string, size: number): void {
  if (size > bytesMaxOf(name)) {
    throw new SourceError('CLY_BUNDLE_FILE_SIZE', name, `is larger than ${bytesMaxOf(name)} bytes`);
  }
  files.set(name, size);
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
