// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import { ID, onlyMembers, readDigest, readInteger, readList, readText, SHORT_TEXT, shapeError } from './shape.ts';

export const SQL_DIALECTS = ['postgres', 'snowflake', 'databricks', 'spark', 'bigquery', 'mysql', 'tsql'] as const;
export type SqlDialect = (typeof SQL_DIALECTS)[number];

/** `unsafe` is proved from the parse tree; `held` means that nobody could prove either. */
export type SqlVerdict = 'safe' | 'unsafe' | 'held';

/** What inspection found out about the SQL text at one place of a body; the text itself is not in it. */
export type SqlFact = {
  /** Id of the `sql_safety` rule that asked for it. */
  readonly rule: string;
  /** JSON pointer to the text. */
  readonly pointer: string;
  readonly dialect: SqlDialect;
  readonly statement_digest: Digest;
  readonly statement_count: number;
  readonly verdict: SqlVerdict;
  /** `CLY_SQL_…`, sorted, none twice. */
  readonly codes: readonly string[];
};

export const SQL_FACTS_MAX = 8;
export const SQL_CODES_MAX = 16;
const MEMBERS = new Set(['rule', 'pointer', 'dialect', 'statement_digest', 'statement_count', 'verdict', 'codes']);
const DIALECT = new RegExp(`^(?:${SQL_DIALECTS.join('|')})$`);
const VERDICT = /^(?:safe|unsafe|held)$/;
const CODE = /^CLY_SQL_[A-Z_]{1,40}$/;

/** Shape of one member of `facts.sql`. Throws CLY_RECORD_SHAPE. */
export function checkSqlFact(fact: JsonValue): void {
  if (!isJsonObject(fact)) throw shapeError('an SQL fact is not an object');
  onlyMembers(fact, MEMBERS);
  readText(fact, 'rule', ID);
  readText(fact, 'pointer', SHORT_TEXT);
  readText(fact, 'dialect', DIALECT);
  readDigest(fact, 'statement_digest');
  readInteger(fact, 'statement_count');
  readText(fact, 'verdict', VERDICT);
  for (const code of readList(fact, 'codes', SQL_CODES_MAX)) {
    if (typeof code !== 'string' || !CODE.test(code)) throw shapeError('a code of an SQL fact is no CLY_SQL_ code');
  }
}
