// SPDX-License-Identifier: Apache-2.0
import type { Grant, Pending, Relation } from './ledger-lines.ts';

/** What a recorder did not list one by one: it may have touched anything. */
const UNLISTED = '*.*';

/** Between the clock of a source and the broker's. */
const CLOCK_SLACK_MS = 5_000;

export const MATCH_STATUSES = ['matched', 'exceeded', 'reused', 'unattributed', 'claimed_unproved'] as const;
export type MatchStatus = (typeof MATCH_STATUSES)[number];

/** A `matched` line as a value (journal.md §1). */
export interface Match {
  readonly v: 0;
  readonly kind: 'matched';
  readonly observation_id: string;
  readonly leaf: number;
  readonly status: MatchStatus;
  readonly event_id: string | null;
  readonly receipt_id: string | null;
  readonly token_hash: string | null;
  readonly reason: string;
}

/** The relations of a transaction that are guarded for its source, and what the recorder did not list. */
export function touchedOf<T extends Relation>(
  relations: readonly T[],
  guarded: ReadonlySet<string> | undefined,
): readonly T[] {
  if (guarded === undefined || guarded.size === 0) {
    return [];
  }
  return relations.filter((relation) => guarded.has(nameOf(relation)) || nameOf(relation) === UNLISTED);
}

/** Judges one pending transaction (journal.md §5) and marks the grants it uses. */
export function judge(pending: Pending, grants: ReadonlyMap<string, Grant>): Match {
  const tokens = [...new Set(pending.token_hashes)];
  if (tokens.length === 0) {
    return match(pending, ['unattributed', 'no_token'], null);
  }
  const unknown = tokens.find((token) => !grants.has(token));
  if (unknown !== undefined) {
    return { ...match(pending, ['claimed_unproved', 'token_unknown'], null), token_hash: unknown };
  }
  const named = tokens.map((token) => grants.get(token) as Grant);
  const first = named[0] as Grant;
  if (named.some((grant) => grant.used_by !== null && grant.used_by !== pending.observation_id)) {
    return match(pending, ['reused', 'token_used'], first);
  }
  const excess = findExcess(pending, named);
  for (const grant of named) {
    grant.used_by = pending.observation_id;
  }
  return excess === null
    ? match(pending, ['matched', 'token_and_effect'], first)
    : match(pending, ['exceeded', excess], first);
}

/** The first reason in the order of the specification why the effect goes beyond its grants, or null. */
function findExcess(pending: Pending, grants: readonly Grant[]): string | null {
  const { relations: touched, committed_at: at } = pending;
  const listed = new Set(grants.flatMap((grant) => grant.relations));
  const rows = touched.reduce((sum, relation) => sum + relation.inserts + relation.updates + relation.deletes, 0);
  const rowsMax = grants.reduce((sum, grant) => sum + grant.rows_max, 0);
  if (grants.some((grant) => grant.source_id !== pending.source_id)) {
    return 'source';
  }
  if (touched.some((relation) => !listed.has(nameOf(relation)))) {
    return 'relation';
  }
  if (touched.some((relation) => operationsOf(relation).some((operation) => !isCovered(relation, operation, grants)))) {
    return 'operation';
  }
  if (rows > rowsMax) {
    return 'rows';
  }
  const isOutside = grants.some(
    (grant) => at < grant.not_before - CLOCK_SLACK_MS || at > grant.expires_at + CLOCK_SLACK_MS,
  );
  return isOutside ? 'time' : null;
}

/** One grant must name both the relation and the operation. */
function isCovered(relation: Relation, operation: string, grants: readonly Grant[]): boolean {
  return grants.some(
    (grant) =>
      grant.relations.includes(nameOf(relation)) && (grant.operations as readonly string[]).includes(operation),
  );
}

function operationsOf(relation: Relation): readonly string[] {
  const counts: readonly (readonly [string, number])[] = [
    ['insert', relation.inserts],
    ['update', relation.updates],
    ['delete', relation.deletes],
    ['truncate', relation.truncates],
    ['ddl', relation.ddl ?? 0],
  ];
  return counts.filter(([, count]) => count > 0).map(([operation]) => operation);
}

export function nameOf(relation: Relation): string {
  return `${relation.schema}.${relation.name}`;
}

function match(pending: Pending, outcome: readonly [MatchStatus, string], grant: Grant | null): Match {
  const [status, reason] = outcome;
  return {
    v: 0,
    kind: 'matched',
    observation_id: pending.observation_id,
    leaf: pending.leaf,
    status,
    event_id: grant?.event_id ?? null,
    receipt_id: grant?.receipt_id ?? null,
    token_hash: grant?.token_hash ?? null,
    reason,
  };
}
