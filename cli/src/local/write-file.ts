// SPDX-License-Identifier: Apache-2.0
import { open, readFile, rename } from 'node:fs/promises';

/** Whole or not at all, also after a crash: written aside, synced, renamed. */
export async function writeWhole(path: string, content: Uint8Array | string, mode = 0o644): Promise<void> {
  const aside = `${path}.new`;
  const file = await open(aside, 'w', mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(aside, path);
}

/** undefined where there is no such file. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
