// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { type BundleSource, type OpenFile, ReadError } from './bundle-source.ts';
import { openDirectory, openRegular } from './directory-source.ts';
import { openTar } from './tar-source.ts';

/** Where a verification takes its files from. */
export interface FileAccess {
  /** The bundle. Throws SourceError, ReadError or system errors. */
  openBundle(path: string): Promise<BundleSource>;
  /** A file that the reader passes. */
  openFile(path: string): Promise<OpenFile>;
}

export const FILE_SYSTEM: FileAccess = { openBundle, openFile: async (path) => openRegular(path, 'follow') };

/** Opens a bundle: a folder, or a regular file whose name ends in .tar. Throws SourceError, ReadError or system errors. */
async function openBundle(path: string): Promise<BundleSource> {
  const found = statSync(path);
  if (found.isDirectory()) {
    return openDirectory(path);
  }
  if (found.isFile() && path.endsWith('.tar')) {
    return openTar(openRegular(path, 'follow'));
  }
  throw new ReadError(`${path} is neither a folder nor a .tar`);
}
