// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import type { TrustRootFiles } from '@clyra/core/signing/trust-root-rotation';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';

export type TrustFiles = TrustRootFiles & { readonly path: string };

/** The envelope stands beside its file: trust-root.json and trust-root.dsse.json. */
export function envelopePath(path: string): string {
  return path.replace(/(?:\.json)?$/, '.dsse.json');
}

/** Rejects with CLY_TRUST_FILE. */
export async function readTrustFiles(path: string): Promise<TrustFiles> {
  const [bytes, dsse] = await Promise.all([read(path), read(envelopePath(path))]);
  return { path, bytes, dsse };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const why = `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`;
    throw new ClyraError('CLY_TRUST_FILE', why, { retry: 'never', context: { path }, cause });
  }
}

/** Writes one version; a version that stands there is never replaced by another. Returns the path of the document. */
export async function writeTrustFiles(folder: string, version: number, files: TrustRootFiles): Promise<string> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `trust-root-${version}.json`);
  const found = await readIfThere(path);
  if (found !== undefined && Buffer.compare(found, files.bytes) !== 0) {
    throw new ClyraError('CLY_TRUST_FILE', `${path} exists and says something else: choose another --out`, {
      retry: 'never',
      context: { path },
    });
  }
  await writeWhole(envelopePath(path), files.dsse);
  await writeWhole(path, files.bytes);
  return path;
}
