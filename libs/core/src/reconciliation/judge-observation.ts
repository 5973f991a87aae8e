// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { Operation } from '../policy/policy.ts';
import { type LedgerGrant, type PendingObservation, type RelationEffect, relationName } from './ledger-entry.ts';

export const MATCH_STATUSES = ['matched', 'exceeded', 'reused', 'unattributed', 'claimed_unproved'] as const;
export type MatchStatus = (typeof MATCH_STATUSES)[number];

export type MatchReason =
  | 'token_and_effect'
  | 'source'
  | 'relation'
  | 'operation'
  | 'rows'
  | 'time'
  | 'token_used'
  | 'token_unknown'
  | 'no_token';

export type Verdict = {
  readonly status: MatchStatus;
  readonly reason: MatchReason;
  readonly event_id: string | null;
  readonly receipt_id: string | null;
  readonly token_hash: Digest | null;
  /** Token hashes of the grants that this observation uses up. */
  readonly uses: readonly Digest[];
};

/** How far a source's clock may be from the log's, in milliseconds. */
export const CLOCK_TOLERANCE_MS = 5_000;

/**
 * Whether a touching transaction is what was permitted (docs/spec/journal.md §5). A pure function of the observation
 * and the grants that stand before the cut.
 */
export function judgeObservation(observation: PendingObservation, known: ReadonlyMap<Digest, LedgerGrant>): Verdict {
  const touched = observation.relations;
  const tokens = [...new Set(observation.token_hashes)];
  if (tokens.length === 0) return { ...NO_GRANT, status: 'unattributed', reason: 'no_token' };
  const unknown = tokens.find((token) => !known.has(token));
  if (unknown !== undefined) {
    return { ...NO_GRANT, status: 'claimed_unproved', reason: 'token_unknown', token_hash: unknown };
  }
  const grants = tokens.map((token) => known.get(token) as LedgerGrant);
  const [first] = grants as [LedgerGrant, ...LedgerGrant[]];
  const named = { event_id: first.event_id, receipt_id: first.receipt_id, token_hash: first.token_hash };
  if (grants.some((grant) => grant.used_by !== null && grant.used_by !== observation.observation_id)) {
    return { status: 'reused', reason: 'token_used', ...named, uses: [] };
  }
  const excess = excessOf(observation, touched, grants);
  if (excess !== undefined) return { status: 'exceeded', reason: excess, ...named, uses: tokens };
  return { status: 'matched', reason: 'token_and_effect', ...named, uses: tokens };
}

const NO_GRANT = { event_id: null, receipt_id: null, token_hash: null, uses: [] } as const;

/** What went beyond the grants, in the order in which the first that applies is named. */
function excessOf(
  observation: PendingObservation,
  touched: readonly RelationEffect[],
  grants: readonly LedgerGrant[],
): MatchReason | undefined {
  if (grants.some((grant) => grant.source_id !== observation.source_id)) return 'source';
  const relations = new Set(grants.flatMap((grant) => grant.relations));
  if (touched.some((relation) => !relations.has(relationName(relation)))) return 'relation';
  const covered = (relation: RelationEffect, operation: Operation): boolean =>
    grants.some((grant) => grant.relations.includes(relationName(relation)) && grant.operations.includes(operation));
  // One grant must allow both: two grants never add up to a right that neither gives.
  if (touched.some((relation) => operationsOf(relation).some((operation) => !covered(relation, operation)))) {
    return 'operation';
  }
  const rows = touched.reduce((sum, { inserts, updates, deletes }) => sum + inserts + updates + deletes, 0);
  if (rows > grants.reduce((sum, grant) => sum + grant.rows_max, 0)) return 'rows';
  const at = observation.committed_at;
  const outside = (grant: LedgerGrant): boolean =>
    at < grant.not_before - CLOCK_TOLERANCE_MS || at > grant.expires_at + CLOCK_TOLERANCE_MS;
  return grants.some(outside) ? 'time' : undefined;
}

function operationsOf(relation: RelationEffect): readonly Operation[] {
  const counts = [
    ['insert', relation.inserts],
    ['update', relation.updates],
    ['delete', relation.deletes],
    ['truncate', relation.truncates],
    ['ddl', relation.ddl ?? 0],
  ] as const;
  return counts.filter(([, count]) => count > 0).map(([operation]) => operation);
}
