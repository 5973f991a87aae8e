// SPDX-License-Identifier: Apache-2.0
import type { SqlVerdict } from '../change/sql-fact.ts';

/**
 * What the analysis can say about SQL. `unsafe` codes are proved from the parse tree and block; `held` codes say that
 * nothing was proved and a person has to look.
 */
export const SQL_CODES = {
  CLY_SQL_NO_WHERE: 'unsafe',
  CLY_SQL_TAUTOLOGY: 'unsafe',
  CLY_SQL_UNKEYED_JOIN: 'unsafe',
  CLY_SQL_MERGE_ALWAYS: 'unsafe',
  CLY_SQL_TRUNCATE: 'unsafe',
  CLY_SQL_OVERWRITE: 'unsafe',
  CLY_SQL_DDL: 'unsafe',
  CLY_SQL_PRIVILEGE: 'unsafe',
  CLY_SQL_WHERE_UNPROVED: 'held',
  CLY_SQL_JOIN_UNPROVED: 'held',
  CLY_SQL_MERGE_UNMATCHED: 'held',
  CLY_SQL_MULTI_STATEMENT: 'held',
  CLY_SQL_DYNAMIC: 'held',
  CLY_SQL_PROCEDURAL: 'held',
  CLY_SQL_SESSION: 'held',
  CLY_SQL_OPAQUE: 'held',
  CLY_SQL_UNPARSED: 'held',
  CLY_SQL_DISAGREEMENT: 'held',
  CLY_SQL_LIMIT: 'held',
} as const satisfies Record<string, SqlVerdict>;

export type SqlCode = keyof typeof SQL_CODES;

/** The strongest of what the codes say; no code at all is `safe`. */
export function verdictOf(codes: Iterable<SqlCode>): SqlVerdict {
  let verdict: SqlVerdict = 'safe';
  for (const code of codes) {
    if (SQL_CODES[code] === 'unsafe') return 'unsafe';
    verdict = 'held';
  }
  return verdict;
}
