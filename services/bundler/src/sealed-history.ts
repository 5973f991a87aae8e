// SPDX-License-Identifier: Apache-2.0
import { bundleLocation, parseCheckpointName } from '@clyra/core/evidence/bundle-names';
import { parseCheckpoint, type TreeHead } from '@clyra/core/evidence/checkpoint';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';

/** What was signed and sealed for a tenant before this start. */
export type TenantHistory = {
  /** The newest checkpoint that was signed: the log must still lead to it. */
  readonly last: TreeHead;
  /** Where the newest whole bundle ends: at `last`, or before it when a crash came in between. */
  readonly wholeEnd: number;
};

export type SealedHistory = ReadonlyMap<string, TenantHistory>;

/** Reads the checkpoints that stand in the blob store. Rejects with CLY_BLOB_UNAVAILABLE or CLY_LOG_DAMAGED. */
export async function loadHistory(blobs: BlobStore): Promise<SealedHistory> {
  const ends = new Map<string, number[]>();
  const names = new Map<string, string>();
  for (const name of await blobs.list('checkpoints/')) {
    const parsed = parseCheckpointName(name);
    if (parsed === undefined) continue;
    ends.set(parsed.tenant, [...(ends.get(parsed.tenant) ?? []), parsed.end]);
    names.set(parsed.tenant, name);
  }
  const history = new Map<string, TenantHistory>();
  for (const [tenant, list] of ends) {
    const [start = 0, end = 0] = [0, ...list].slice(-2);
    const note = await blobs.get(names.get(tenant) ?? '');
    const last = note === undefined ? undefined : parseCheckpoint(note);
    if (last?.size !== end) {
      throw new ClyraError('CLY_LOG_DAMAGED', `the newest checkpoint of ${tenant} is not the one its name says`, {
        retry: 'never',
        context: { tenant, end },
      });
    }
    const whole = await blobs.has(`${bundleLocation(tenant, { start, end })}/manifest.dsse.json`);
    history.set(tenant, { last, wholeEnd: whole ? end : start });
  }
  return history;
}
