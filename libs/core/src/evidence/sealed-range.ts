// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { MatchCounts } from '../reconciliation/totals.ts';
import type { Coverage } from './coverage.ts';
import type { Governance } from './metrics/governance.ts';
import type { Cost, Performance } from './metrics/operation.ts';
import type { Security } from './metrics/security.ts';
import type { OutageBody } from './observation-body.ts';
import type { JournalFacts } from './range-digest.ts';
import type { NamedDocument } from './range-documents.ts';

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

export type Outage = Pick<
  OutageBody,
  'source_id' | 'component' | 'failed_at' | 'detected_at' | 'restored_at' | 'cause' | 'changes_refused'
>;

/** A statement of the producer; the lines can only contradict it. */
export type Separation = 'none' | 'processes' | 'operators';

/** Governance, performance, cost and security as the lines of the range give them (docs/spec/bundle.md §3.1). */
export type Metrics = {
  readonly governance: Governance;
  readonly performance: Performance;
  readonly cost: Cost;
  readonly security: Security;
};

export type Reconciliation = MatchCounts & {
  /** Until when (ms) every guarded source has told everything; null where none is guarded and known. */
  readonly horizon: number | null;
  /** Grants whose source had no coverage when they were given. */
  readonly unobserved: number;
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
  readonly outages: readonly Outage[];
  readonly coverage: readonly Coverage[];
  readonly metrics: Metrics;
  readonly profiles: readonly string[];
  readonly documents: {
    readonly named: number;
    readonly list: readonly NamedDocument[];
    /** How many mentions name one of the documents given. */
    heldOf(held: readonly NamedDocument[]): number;
  };
  /** Whether one key signed in two roles: such an installation is not separated, whatever it says. */
  readonly sharesKeys: boolean;
};
