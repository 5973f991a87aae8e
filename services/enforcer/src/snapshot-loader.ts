// SPDX-License-Identifier: Apache-2.0
import { parseRecord } from '@clyra/core/canonical/record';
import { linkTo } from '@clyra/core/change/links';
import type { TopicNames } from '@clyra/core/change/topics';
import type { Resume } from '@clyra/core/enforcement/partition-fold';
import { type PartitionSnapshot, parseSnapshot, type TenantMark } from '@clyra/core/enforcement/partition-snapshot';
import { StateTable } from '@clyra/core/enforcement/state-table';
import { readMeta } from '@clyra/core/enforcement/tenant-meta';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { ArtifactStore } from './artifact-store.ts';
import { findReceipt, type Receipt, type ReceiptFinderOptions } from './receipt-finder.ts';
import { stateName } from './state-name.ts';

export type SnapshotLoaderOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly artifacts: ArtifactStore;
  readonly logger: Logger;
  readonly topics: Pick<TopicNames, 'snapshots' | 'receipts'>;
  readonly deadlineMs: number;
};

/**
 * The newest snapshot of a partition, with its states. A snapshot is only an offer: each state must have the digest,
 * and each chain the head, that a published receipt carries, else the fold starts at the beginning of the log.
 */
export async function loadSnapshot(partition: number, options: SnapshotLoaderOptions): Promise<Resume | undefined> {
  try {
    const snapshot = await newest(partition, options);
    if (snapshot === undefined) return undefined;
    const tables = new Map<string, StateTable>();
    for (const mark of snapshot.tenants) tables.set(mark.tenant, await loadTenant(mark, partition, options));
    const last = await receiptOf(partition, snapshot.offset, options);
    if (last === undefined || Buffer.from(last.chain).toString('hex') !== snapshot.chain) {
      throw refused('its chain is not that of the receipts');
    }
    return { snapshot, tables };
  } catch (error) {
    if (!(error instanceof ClyraError) || error.retry !== 'never') throw error;
    options.logger.warn('snapshot not used, folding from the start', {
      partition,
      code: error.code,
      error: error.message,
    });
    return undefined;
  }
}

async function newest(partition: number, options: SnapshotLoaderOptions): Promise<PartitionSnapshot | undefined> {
  const record = await options.log.readLast(options.topics.snapshots, partition, options.deadlineMs);
  if (record?.value == null) return undefined;
  const { pointer } = await options.codec.decode('SnapshotEnvelope', record.value);
  const snapshot = parseSnapshot(pointer);
  if (snapshot.partition !== partition) throw refused('it is of another partition');
  return snapshot;
}

function receiptOf(partition: number, offset: number, options: SnapshotLoaderOptions): Promise<Receipt | undefined> {
  const finder: ReceiptFinderOptions = { ...options, topic: options.topics.receipts };
  return findReceipt(partition, offset, finder);
}

async function loadTenant(mark: TenantMark, partition: number, options: SnapshotLoaderOptions): Promise<StateTable> {
  const receipt = await receiptOf(partition, mark.cut_offset, options);
  const body = receipt === undefined ? undefined : parseRecord(receipt.body);
  const vouched =
    body !== undefined &&
    body['tenant'] === mark.tenant &&
    body['state_digest'] === mark.state_digest &&
    (body['tenant_seq'] as number) + 1 === mark.next_seq &&
    linkTo(receipt?.body ?? new Uint8Array()) === mark.prev;
  if (!vouched) throw refused(`no receipt vouches for the state of ${mark.tenant}`);
  const bytes = await options.blobs.get(stateName(mark.state_digest));
  if (bytes === undefined) throw refused(`the state of ${mark.tenant} is not in the blob store`);
  const table = StateTable.parse(bytes);
  if (table.digest() !== mark.state_digest) throw refused(`the stored state of ${mark.tenant} is another one`);
  const meta = readMeta(table);
  await options.artifacts.load({ kind: 'trust_root', digest: meta.trust_root });
  if (meta.policy !== null) await options.artifacts.load({ kind: 'policy', digest: meta.policy });
  return table;
}

function refused(why: string): ClyraError {
  return new ClyraError('CLY_SNAPSHOT_REFUSED', `the snapshot is not used: ${why}`, { retry: 'never' });
}
