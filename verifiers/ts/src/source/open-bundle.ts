// SPDX-License-Identifier: Apache-2.0
import { stat } from 'node:fs/promises';
import { type BundleSource, ReadError } from './bundle-source.ts';
import { openDirectory } from './directory-source.ts';
import { openTar } from './tar-source.ts';

/** Opens a bundle: a folder, or a regular file whose name ends in .tar. Throws SourceError, ReadError or system errors. */
export async function openBundle(path: string): Promise<BundleSource> {
  const found = await stat(path);
  if (found.isDirectory()) {
    return openDirectory(path);
  }
  if (found.isFile() && path.endsWith('.tar')) {
    return openTar(path);
  }
  throw new ReadError(`${path} is neither a folder nor a .tar`);
}
