// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { MatchCounts } from '../reconciliation/totals.ts';
import type { JournalFacts } from './range-digest.ts';

export type Cut = {
  readonly kind: string;
  readonly offset: number;
  readonly partition: number;
  readonly state_digest: Digest;
  readonly receipt_id: string;
};

export type Gap = {
  readonly source_id: string;
  readonly from_lsn: string;
  readonly to_lsn: string;
  readonly reason: string;
};

export type Reconciliation = MatchCounts & {
  readonly sources: readonly { readonly source_id: string; readonly covers_until: number; readonly lsn: string }[];
  readonly state: 'final' | 'provisional';
  readonly pending: number;
  readonly grants_unused: number;
};

export type Decisions = { allow: number; block: number; hold: number; recorded: number };

/** All that the fold knows about a range when its cut is reached: the manifest without artifacts and producer. */
export type SealedRange = {
  readonly tenant: string;
  readonly streamId: string;
  readonly start: number;
  readonly end: number;
  /** Compact range of [0,start). */
  readonly frontier: readonly Digest[];
  /** Of [0,end). */
  readonly root: Digest;
  readonly cut: Cut;
  /** Milliseconds, of the cut. */
  readonly appendTimeMs: number;
  /** State at the previous sealed cut; null at start 0. */
  readonly openingState: Digest | null;
  readonly openingLedger: Uint8Array | null;
  readonly closingLedger: Uint8Array;
  readonly journal: JournalFacts;
  readonly policies: readonly Digest[];
  readonly engine: number;
  readonly trustRoot: Digest;
  readonly runs: {
    readonly closed: readonly { readonly run_id: string; readonly count: number }[];
    readonly open: readonly string[];
  };
  readonly decisions: Decisions;
  readonly reconciliation: Reconciliation;
  readonly gaps: readonly Gap[];
};
