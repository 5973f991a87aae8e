// SPDX-License-Identifier: Apache-2.0
import * as promises from 'node:fs/promises';
import { dirname } from 'node:path';
import process from 'node:process';

/** What a test may stand in for. */
export type FileSystem = Pick<typeof promises, 'open' | 'rename' | 'link' | 'unlink'>;

type Write = (path: string, content: Uint8Array | string, mode?: number) => Promise<void>;

export type WholeFiles = {
  /**
   * Whole or not at all, and still there after a crash: written aside, synced, renamed, and the folder synced. What a link
   * names is written, not the link; and into a device or a pipe (`/dev/null`, `/dev/stdout`), which a rename would replace.
   */
  readonly writeWhole: Write;
  /** As `writeWhole`; rejects with EEXIST where the file is there already, and leaves that one as it is. */
  readonly createWhole: Write;
};

export function wholeFiles(fs: FileSystem): WholeFiles {
  return {
    writeWhole: async (name, content, mode = 0o644) => {
      const { path, isReplaced } = await targetOf(name);
      if (!isReplaced) return promises.writeFile(path, content);
      await fs.rename(await writeAside(fs, path, { content, mode }), path);
      await syncFolder(fs, path);
    },
    createWhole: async (path, content, mode = 0o644) => {
      const aside = await writeAside(fs, path, { content, mode });
      try {
        // A rename would replace what somebody else made meanwhile.
        await fs.link(aside, path);
      } finally {
        await fs.unlink(aside);
      }
      await syncFolder(fs, path);
    },
  };
}

export const { writeWhole, createWhole } = wholeFiles(promises);

/** undefined where there is no such file. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await promises.readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

async function targetOf(name: string): Promise<{ readonly path: string; readonly isReplaced: boolean }> {
  try {
    const isReplaced = (await promises.stat(name)).isFile();
    return { path: isReplaced ? await promises.realpath(name) : name, isReplaced };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { path: name, isReplaced: true };
    throw cause;
  }
}

let asideCount = 0;

async function writeAside(
  fs: Pick<FileSystem, 'open'>,
  path: string,
  { content, mode }: { readonly content: Uint8Array | string; readonly mode: number },
): Promise<string> {
  asideCount += 1;
  const aside = `${path}.${process.pid}-${asideCount}.new`;
  const file = await fs.open(aside, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  return aside;
}

/** The name is part of the folder: without this a machine that loses power may come back without it. */
async function syncFolder(fs: Pick<FileSystem, 'open'>, path: string): Promise<void> {
  const folder = await fs.open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
