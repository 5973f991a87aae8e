// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { Operation } from '../policy/policy.ts';

/** docs/spec/journal.md §4: what a ledger carries for reconciliation. Member names are those on the wire. */
export type LedgerGrant = {
  readonly token_hash: Digest;
  readonly event_id: string;
  readonly receipt_id: string;
  readonly source_id: string;
  readonly relations: readonly string[];
  readonly operations: readonly Operation[];
  readonly rows_max: number;
  /** Milliseconds, tenant time: `decided_at` of the receipt that gave it. */
  readonly not_before: number;
  readonly expires_at: number;
  /** The observation that used it, or null. */
  readonly used_by: string | null;
};

/** What a transaction did to one relation; the digest of its rows stays in the observation. */
export type RelationEffect = {
  readonly schema: string;
  readonly name: string;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  /** Schema changes of the relation; absent where none was announced. */
  readonly ddl?: number;
};

/** A touching transaction that no cut has judged yet; its relations are the guarded ones. */
export type PendingObservation = {
  readonly observation_id: string;
  /** Its place in the tenant's log. */
  readonly leaf: number;
  readonly append_time: number;
  readonly source_id: string;
  /** Milliseconds, the source's clock. */
  readonly committed_at: number;
  readonly relations: readonly RelationEffect[];
  readonly token_hashes: readonly Digest[];
};

/** Everything that the source committed before `covers_until` (ms) is in the log. */
export type Watermark = { readonly source_id: string; readonly lsn: string; readonly covers_until: number };

export function relationName(relation: RelationEffect): string {
  return `${relation.schema}.${relation.name}`;
}
