// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';

type FoundFile = { readonly name: string; readonly isRegular: boolean };

/** The blobs of an installation as files, read only. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = resolve(path);
  }

  at(name: string): string {
    return join(this.path, ...name.split('/'));
  }

  /** Everything that is no folder, ascending. Rejects with CLY_CLI_FOLDER. */
  async files(): Promise<readonly FoundFile[]> {
    try {
      const entries = await readdir(this.path, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => !entry.isDirectory());
      const found = files.map((entry) => ({
        name: relative(this.path, join(entry.parentPath, entry.name)).split(sep).join('/'),
        isRegular: entry.isFile(),
      }));
      return found.sort((one, other) => (one.name < other.name ? -1 : 1));
    } catch (cause) {
      throw new ClyraError('CLY_CLI_FOLDER', `${this.path} cannot be listed: name a folder that holds blobs`, {
        retry: 'never',
        context: { path: this.path },
        cause,
      });
    }
  }

  async read(name: string): Promise<Buffer> {
    return readFile(this.at(name));
  }

  /** SHA-256 of a file, in constant memory. */
  async digest(name: string): Promise<string> {
    return fileDigest(this.at(name));
  }
}

export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
