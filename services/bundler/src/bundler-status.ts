// SPDX-License-Identifier: Apache-2.0
import type { Reconciliation } from '@clyra/core/evidence/sealed-range';
import type { WrittenBundle } from './bundle-writer.ts';

/** What `GET /v1/status` answers. Offsets are of the newest record; −1 before the first. */
export type BundlerStatus = {
  readonly partitions: readonly PartitionStatus[];
  readonly tenants: readonly TenantStatus[];
};

export type PartitionStatus = {
  readonly partition: number;
  readonly state: 'replaying' | 'live' | 'stopped';
  /** What it waits for or why it stopped. */
  readonly reason: string | null;
  /** Source offsets up to which the journal was read back. */
  readonly sequenced: { readonly changes: number; readonly observations: number };
  /** The journal offset after the newest record that was folded. */
  readonly journal_end: number;
};

export type TenantStatus = {
  readonly tenant: string;
  readonly partition: number;
  readonly leaves: number;
  readonly bundle:
    | (Pick<WrittenBundle, 'start' | 'end' | 'location' | 'origin'> & { readonly manifest_digest: string })
    | null;
  /** Of the open range, and of the ledger. */
  readonly reconciliation: Reconciliation | null;
};
