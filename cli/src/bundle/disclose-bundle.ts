// SPDX-License-Identifier: Apache-2.0
import { open, readFile } from 'node:fs/promises';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { commitmentsIn, EVIDENCE_KEY_BYTES } from '@clyra/core/disclosure/commitment';
import { type Disclosure, disclose, openings, PARTS, type Part, parseValues } from '@clyra/core/disclosure/disclosures';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BundleFolder, BundleLine } from './bundle-folder.ts';

export type DisclosureWish = {
  /** File of kept values. */
  readonly values: string;
  /** `EPOCH=FILE` of each evidence key. */
  readonly keys: readonly string[];
  /** Only at these pointers; all where none is named. */
  readonly pointers: readonly string[];
  /** Only of these leaves; all where none is named. */
  readonly leaves: readonly number[];
};

/** What the values open in a bundle, and how many commitments stay closed. */
export async function discloseBundle(
  bundle: BundleFolder,
  wish: DisclosureWish,
): Promise<{ readonly disclosures: readonly Disclosure[]; readonly closed: number }> {
  const keys = new Map<number, Uint8Array>();
  for (const named of wish.keys) keys.set(...(await readEvidenceKey(named)));
  const known = openings(parseValues(await readFile(wish.values)), keys);
  const disclosures: Disclosure[] = [];
  let total = 0;
  for await (const line of bundle.lines()) {
    const parts = bodiesOf(line);
    total += Object.values(parts).reduce((sum, body) => sum + commitmentsIn(body).length, 0);
    if (wish.leaves.length > 0 && !wish.leaves.includes(line.leaf)) continue;
    const opened = disclose({ leaf: line.leaf, parts }, known);
    disclosures.push(...opened.filter(({ pointer }) => wish.pointers.length === 0 || wish.pointers.includes(pointer)));
  }
  return { disclosures, closed: total - disclosures.length };
}

function bodiesOf({ record }: BundleLine): Partial<Record<Part, JsonObject>> {
  const bodies = PARTS.flatMap((part) => {
    const signed = record[part];
    const body = isJsonObject(signed) ? signed['body'] : undefined;
    return isJsonObject(body) ? [[part, body] as const] : [];
  });
  return Object.fromEntries(bodies);
}

async function readEvidenceKey(named: string): Promise<[number, Uint8Array]> {
  const [, epoch = '', path = ''] = /^(\d{1,9})=(.+)$/.exec(named) ?? [];
  const bytes = path === '' ? undefined : await readSecret(path);
  if (bytes?.length !== EVIDENCE_KEY_BYTES) {
    throw new ClyraError('CLY_CLI_ARGUMENT', `${named}: an evidence key is EPOCH=FILE with a file of 32 bytes`, {
      retry: 'never',
    });
  }
  return [Number(epoch), bytes];
}

/** A secret file that others may read is refused. Rejects with CLY_KEY_FILE. */
export async function readSecret(path: string): Promise<Buffer> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) === 0) return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw keyFile(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  throw keyFile(path, `can be read by others; run \`chmod 600 ${path}\``);
}

function keyFile(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_KEY_FILE', `key file ${path} ${what}`, { retry: 'never', context: { path }, cause });
}
