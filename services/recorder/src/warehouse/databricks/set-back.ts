// SPDX-License-Identifier: Apache-2.0
import { logFileName } from '@clyra/adapter-databricks/delta-log';
import { digestOf } from '@clyra/core/canonical/digest';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { ToldVersion } from '../history-source.ts';
import type { TableLook } from './settle-versions.ts';

/**
 * Whether the newest version that was told is another commit now, or is no longer there: the table's log was set back
 * (restored from a copy), and written on perhaps. By the digest of the version's file where both are known, else by its
 * time. A table that was dropped and made anew has a new beginning: that is said elsewhere.
 */
export async function isSetBack(
  { newest, versions }: Pick<TableLook, 'newest' | 'versions'>,
  told: ToldVersion | undefined,
  store: BlobStore | undefined,
): Promise<boolean> {
  if (told === undefined || newest === undefined) return false;
  if (versions.some(({ version, atMs }) => version === 0 && atMs > told.atMs)) return false;
  if (newest.version < told.version) return true;
  const bytes = told.logDigest === undefined ? undefined : await store?.get(logFileName(told.version));
  if (bytes !== undefined) return digestOf(bytes) !== told.logDigest;
  const shown = versions.filter(({ version }) => version === told.version);
  return shown.length > 0 && shown.every(({ atMs }) => atMs !== told.atMs);
}
