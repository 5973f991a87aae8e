// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** What a bundler reads and somebody else writes. */
const INPUTS = ['policies', 'trust-roots', 'states'];
/** What a bundler writes and keeps; pieces of open ranges may be deleted. */
const OUTPUTS = ['bundles', 'checkpoints'];

/** A blob folder that shares its inputs with another one and has no output yet. */
export async function makeOwnBlobs(folder: string, shared: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of INPUTS) await symlink(join(shared, name), join(folder, name));
  return folder;
}

/** SHA-256 of every file that a bundler wrote, by name. */
export async function outputsOf(folder: string): Promise<Readonly<Record<string, string>>> {
  const digests: [string, string][] = [];
  for (const output of OUTPUTS) {
    for (const entry of await readdir(join(folder, output), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const digest = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      digests.push([relative(folder, path), digest]);
    }
  }
  return Object.fromEntries(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The folders of all whole bundles of a tenant, in the order of their ranges. */
export async function bundlesOf(folder: string, tenant: string): Promise<readonly string[]> {
  const parent = join(folder, 'bundles', tenant);
  return (await readdir(parent)).toSorted().map((name) => join(parent, name));
}
