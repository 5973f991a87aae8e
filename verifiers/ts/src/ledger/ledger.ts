// SPDX-License-Identifier: Apache-2.0
import type { GuardedSource } from '../documents/policy-document.ts';
import { sha256Hex } from '../hash/sha256.ts';
import type { Delegation } from '../trust/delegations.ts';
import type { Grant, Pending, Position } from './ledger-lines.ts';

export const SOURCES_MAX = 1_024;
export const COVERED_MAX = 65_536;
export const SEEN_MAX = 4_096;
export const OPEN_RUNS_MAX = 65_536;
export const GRANT_BYTES_MAX = 33_554_432;
export const PENDING_BYTES_MAX = 8_388_608;

export interface RunHead {
  readonly nextSeq: number;
  readonly head: string;
}

/** What is known of one source of observations (journal.md §4). */
export interface SourceState {
  registered: boolean;
  watermark: { readonly lsn: string; readonly covers_until: number } | null;
  newest: Position | null;
  coverage: { readonly observation_id: string; readonly scope: string; readonly lsn: string } | null;
  /** Of the newest coverage. */
  covered: readonly string[];
  blindSpots: readonly { readonly code: string; readonly relation: string | null }[];
}

/** What a reader carries from one bundle to the next; a fold changes it. */
export class Ledger {
  nextSeq = 0;
  head: string;
  policy: string | null = null;
  trustRoot: string | null = null;
  lastDecidedAtMs = 0;
  lastOffset = -1;
  lastOutcomeAtMs: number | null = null;
  readonly runs: Map<string, RunHead> = new Map();
  /** What the policy in force guards: relations by source. */
  guarded: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  readonly sources: Map<string, SourceState> = new Map();
  /** Newest observation of each source and kind, transactions and watermarks excepted: keys are `source LF kind`. */
  readonly seen: Map<string, string> = new Map();
  delegations: Delegation[] = [];
  readonly grants: Map<string, Grant> = new Map();
  /** Bytes of the grants as lines, LF included. */
  grantBytes = 0;
  pending: Pending[] = [];
  pendingBytes = 0;

  /** The ledger before leaf 0. */
  constructor(streamId: string, tenant: string) {
    this.head = sha256Hex(`clyra/tenant/v0\n${streamId}\n${tenant}`);
  }

  source(sourceId: string): SourceState {
    const known = this.sources.get(sourceId);
    if (known !== undefined) {
      return known;
    }
    const made = { registered: false, watermark: null, newest: null, coverage: null, covered: [], blindSpots: [] };
    this.sources.set(sourceId, made);
    return made;
  }
}

/** Entries of one source are united. */
export function guardedOf(entries: readonly GuardedSource[]): ReadonlyMap<string, ReadonlySet<string>> {
  const guarded = new Map<string, Set<string>>();
  for (const { source_id: sourceId, relations } of entries) {
    guarded.set(sourceId, new Set([...(guarded.get(sourceId) ?? []), ...relations]));
  }
  return guarded;
}
