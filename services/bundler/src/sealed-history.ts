// SPDX-License-Identifier: Apache-2.0
import { bundleLocation, checkpointName, parseCheckpointName } from '@clyra/core/evidence/bundle-names';
import { parseCheckpoint, type TreeHead } from '@clyra/core/evidence/checkpoint';
import { readManifestHead } from '@clyra/core/evidence/manifest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';

/** What was signed and sealed for a tenant before this start. */
export type TenantHistory = {
  /** The newest checkpoint that was signed: the log must still lead to it. */
  readonly last: TreeHead;
  /** Where the newest whole bundle ends: at `last`, or before it when a crash came in between. */
  readonly wholeEnd: number;
  readonly partition: number;
};

export type SealedHistory = ReadonlyMap<string, TenantHistory>;

/** Reads what stands in the blob store. Rejects with CLY_BLOB_UNAVAILABLE or CLY_LOG_DAMAGED. */
export async function loadHistory(blobs: BlobStore): Promise<SealedHistory> {
  // A log that is a year old has half a million names: of each tenant only the newest is kept.
  const newest = new Map<string, Newest>();
  for (const name of await blobs.list('checkpoints/')) {
    const parsed = parseCheckpointName(name);
    if (parsed !== undefined) newest.set(parsed.tenant, { ...parsed, start: newest.get(parsed.tenant)?.end ?? 0 });
  }
  const history = new Map<string, TenantHistory>();
  for (const [tenant, range] of newest) history.set(tenant, await tenantHistory(blobs, range));
  return history;
}

type Newest = { readonly tenant: string; readonly start: number; readonly end: number };

/** A checkpoint is written after its manifest and before the envelope that makes the bundle whole. */
async function tenantHistory(blobs: BlobStore, { tenant, start, end }: Newest): Promise<TenantHistory> {
  const location = bundleLocation(tenant, { start, end });
  const [note, manifest] = [await blobs.get(checkpointName(tenant, end)), await blobs.get(`${location}/manifest.json`)];
  const last = note === undefined ? undefined : parseCheckpoint(note);
  const head = manifest === undefined ? undefined : readManifestHead(manifest);
  if (last?.size !== end || head?.root !== last.root) {
    throw new ClyraError(
      'CLY_LOG_DAMAGED',
      `the newest checkpoint of ${tenant} and the manifest of ${location} do not belong together: restore the blob store`,
      { retry: 'never', context: { tenant, end } },
    );
  }
  const isWhole = await blobs.has(`${location}/manifest.dsse.json`);
  return { last, wholeEnd: isWhole ? end : start, partition: head.partition };
}
