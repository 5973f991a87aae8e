// SPDX-License-Identifier: Apache-2.0
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const OWN = 'bundle-';
/** Before the name of a folder that is being removed: nobody reads from it. */
const LEFT = 'left-';
/** The first file of each folder, written once: while it stands, nothing was removed from there. */
const MARKER = 'in-use';

/**
 * A folder for each piece of work. What killed processes left behind is removed before the first one. A process that still
 * lives may lose its folder to that; it never takes what is left of it for whole.
 */
export class WorkFolder {
  readonly #root: string;
  #isSwept = false;

  constructor(root: string) {
    this.#root = root;
  }

  /**
   * What `work` made of a folder of its own, which is removed afterwards; undefined where somebody else removed it
   * meanwhile, so that it counts for nothing. Rejects as `work` does, and with the errors of the file system.
   */
  async use<T>(work: (folder: string) => Promise<T>): Promise<T | undefined> {
    await mkdir(this.#root, { recursive: true });
    await this.#sweep();
    const folder = await mkdtemp(join(this.#root, OWN));
    try {
      const marker = join(folder, MARKER);
      await writeFile(marker, '');
      const made = await work(folder);
      return (await isThere(marker)) ? made : undefined;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Renamed first: an owner that still lives finds all of its folder, or no marker. */
  async #sweep(): Promise<void> {
    if (this.#isSwept) return;
    for (const name of await readdir(this.#root)) {
      if (name.startsWith(OWN)) await renameIfThere(join(this.#root, name), join(this.#root, `${LEFT}${name}`));
    }
    for (const name of await readdir(this.#root)) {
      if (name.startsWith(LEFT)) await rm(join(this.#root, name), { recursive: true, force: true });
    }
    this.#isSwept = true;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(() => true, ifAbsent(false));
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch(ifAbsent(undefined));
}

function ifAbsent<T>(value: T): (cause: NodeJS.ErrnoException) => T {
  return (cause) => {
    if (cause.code !== 'ENOENT') throw cause;
    return value;
  };
}
