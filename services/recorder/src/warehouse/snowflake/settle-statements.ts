// SPDX-License-Identifier: Apache-2.0
import type { AccessRow, QueryRow, RedemptionRow } from '@clyra/adapter-snowflake/history-rows';
import type { ObservedStatement, TokenLink } from '../observed-statement.ts';
import { readSessionTag } from '../session-tag.ts';
import { statementEffect } from './statement-effect.ts';

/** How late the account's views may be, in milliseconds, as Snowflake documents it. */
export type SnowflakeLags = { readonly queryLagMs: number; readonly accessLagMs: number };

export type SettleInput = {
  readonly nowMs: number;
  readonly beganMs: number;
  readonly horizonMs: number;
  readonly isKnown: (id: string) => boolean;
  readonly lags: SnowflakeLags;
  /** Whether ACCESS_HISTORY is read: it is what Enterprise accounts have. */
  readonly hasAccessHistory: boolean;
  readonly queries: readonly QueryRow[];
  readonly accesses: ReadonlyMap<string, AccessRow>;
  readonly redemptions: ReadonlyMap<string, readonly RedemptionRow[]>;
};

export type Settled = {
  readonly statements: readonly ObservedStatement[];
  /** Whose access row may still come; their horizon waits for them. */
  readonly held: readonly QueryRow[];
  readonly coversUntilMs: number;
};

const SUCCESS = 'SUCCESS';

/**
 * Which statements can be told for good. One is held while its access row may still come, so that it is told once and
 * with the tables it changed. Until when everything is told: what QUERY_HISTORY promises, and never past a held one.
 */
export function settleStatements(input: SettleInput): Settled {
  const { nowMs, beganMs, lags, hasAccessHistory, accesses } = input;
  const held: QueryRow[] = [];
  const statements: ObservedStatement[] = [];
  const seen = new Set<string>();
  for (const row of [...input.queries].sort(byEnd)) {
    if (row.status !== SUCCESS || row.endMs < beganMs || input.isKnown(row.queryId) || seen.has(row.queryId)) continue;
    seen.add(row.queryId);
    const isAwaited = hasAccessHistory && !accesses.has(row.queryId) && row.endMs > nowMs - lags.accessLagMs;
    if (isAwaited && statementEffect(row, undefined) !== undefined) held.push(row);
    else statements.push(...toldOf(row, input));
  }
  const promisedMs = nowMs - lags.queryLagMs;
  const coversUntilMs = held.reduce((until, { endMs }) => Math.min(until, endMs), promisedMs);
  return { statements, held, coversUntilMs: Math.max(coversUntilMs, input.horizonMs) };
}

function toldOf(row: QueryRow, input: SettleInput): readonly ObservedStatement[] {
  const effect = statementEffect(row, input.accesses.get(row.queryId));
  if (effect === undefined) return [];
  const tag = readSessionTag(row.tag);
  const redeemed = input.redemptions.get(row.queryId) ?? [];
  const tokenHashes = [...new Set(redeemed.map(({ tokenHash }) => tokenHash))].sort();
  const claimed = tag.tokenHash === undefined ? [] : [tag.tokenHash];
  const link: TokenLink = tokenHashes.length > 0 ? 'redemption' : claimed.length > 0 ? 'query_tag' : 'none';
  return [
    {
      engine: 'snowflake',
      id: row.queryId,
      operation: row.type,
      committedAtMs: row.endMs,
      ...effect,
      tokenHashes: tokenHashes.length > 0 ? tokenHashes : claimed,
      link,
      content: [row.textDigest, row.sessionId, row.transactionId].join('\n'),
      ...(row.textSize >= TEXT_CUT_SIZE ? { textCut: true } : {}),
      ...(row.endMs < input.horizonMs ? { late: true } : {}),
      ...(tag.runId === undefined ? {} : { runId: tag.runId }),
      ...(tag.actorId === undefined ? {} : { actorId: tag.actorId }),
      user: row.user,
    },
  ];
}

/** The view keeps so many characters of a text. */
const TEXT_CUT_SIZE = 100_000;

function byEnd(left: QueryRow, right: QueryRow): number {
  return left.endMs - right.endMs || (left.queryId < right.queryId ? -1 : Number(left.queryId > right.queryId));
}
