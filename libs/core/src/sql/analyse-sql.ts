// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import type { SqlDialect, SqlVerdict } from '../change/sql-fact.ts';
import { SQL_CODES, type SqlCode, verdictOf } from './codes.ts';
import { judgeReading } from './judge.ts';
import { readPgTree } from './pg-statement.ts';
import { readRsTree } from './rs-statement.ts';
import { scanText, type TextScan, writesIn } from './scan-text.ts';
import type { Reading } from './statement.ts';
import { TreeTooLarge } from './tree.ts';

/** The tree of one parser as plain data, or undefined where it does not understand the text. */
export type SqlParsers = {
  /** PostgreSQL's own parser. */
  pg(text: string): JsonValue | undefined;
  /** sqlparser-rs with the rules of the dialect. */
  rs(text: string, dialect: SqlDialect): JsonValue | undefined;
};

export type SqlAnalysis = {
  readonly verdict: SqlVerdict;
  /** Sorted. */
  readonly codes: readonly SqlCode[];
  readonly statementCount: number;
  readonly digest: Digest;
};

type Opinion = { readonly codes: ReadonlySet<SqlCode>; readonly reading: Reading };

/**
 * Judges SQL text (docs/reference/sql-safety.md). It is safe only if it was read whole, every write in it was proved to
 * touch chosen rows, and nothing that was asked says otherwise: the second parser, where it understands the text, and the text itself.
 */
export function analyseSql(text: string, dialect: SqlDialect, parsers: SqlParsers): SqlAnalysis {
  const scan = scanText(text, dialect);
  if (scan.tooLarge) return answer(text, new Set(['CLY_SQL_LIMIT']), 0);
  try {
    return judgeText(text, scan, { dialect, parsers });
  } catch (error) {
    if (!(error instanceof TreeTooLarge) && !(error instanceof RangeError)) throw error;
    return answer(text, new Set(['CLY_SQL_LIMIT']), 0);
  }
}

type Means = { readonly dialect: SqlDialect; readonly parsers: SqlParsers };

function judgeText(text: string, scan: TextScan, { dialect, parsers }: Means): SqlAnalysis {
  const pg = dialect === 'postgres' || !readsOtherwise(text) ? parsers.pg(text) : undefined;
  const rs = parsers.rs(text, dialect);
  const pgOpinion = pg === undefined ? undefined : opinionOf(readPgTree(pg), dialect);
  const rsOpinion = rs === undefined ? undefined : opinionOf(readRsTree(rs), dialect);
  const [first, second] = dialect === 'postgres' ? [pgOpinion, rsOpinion] : [rsOpinion, pgOpinion];
  // Where the server's settings decide what the text says, no reading of it proves anything.
  const known = [...(first?.codes ?? [])].filter((code) => !scan.opaque || SQL_CODES[code] === 'held');
  const codes = new Set<SqlCode>(first === undefined ? ['CLY_SQL_UNPARSED'] : known);
  if (scan.opaque) codes.add('CLY_SQL_OPAQUE');
  if (first !== undefined && isDoubted(first, { second, scan })) codes.add('CLY_SQL_DISAGREEMENT');
  return answer(text, codes, first?.reading.topCount ?? 0);
}

/** Signs that PostgreSQL's parser would take for something else than the dialect does. */
function readsOtherwise(text: string): boolean {
  return /["`\\#@]/.test(text);
}

function opinionOf(reading: Reading, dialect: SqlDialect): Opinion {
  return { codes: judgeReading(reading, dialect), reading };
}

type Doubt = { readonly second: Opinion | undefined; readonly scan: TextScan };

/** A second opinion can make a safe text held; it never makes an unsafe or held one better. */
function isDoubted(first: Opinion, { second, scan }: Doubt): boolean {
  if (verdictOf(first.codes) !== 'safe') return false;
  const { statements, topCount } = first.reading;
  // EXPLAIN without ANALYZE runs nothing, so the reader left out what stands in it.
  const onlyPlanned = scan.tokens[0] === 'explain' && topCount === 1 && statements.every(({ kind }) => kind === 'read');
  const found = statements.filter(({ kind }) => kind === 'write' || kind === 'merge').length;
  if (!onlyPlanned && writesIn(scan.tokens) > found) return true;
  return second !== undefined && verdictOf(second.codes) !== 'safe';
}

function answer(text: string, codes: ReadonlySet<SqlCode>, statementCount: number): SqlAnalysis {
  return { verdict: verdictOf(codes), codes: [...codes].sort(), statementCount, digest: digestOf(text) };
}
