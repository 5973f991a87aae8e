// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { SnowflakeRow } from './snowflake-client.ts';

/** One row of QUERY_HISTORY: a statement that ended. Times in milliseconds, Snowflake's clock. */
export type QueryRow = {
  readonly queryId: string;
  readonly type: string;
  readonly tag: string;
  readonly sessionId: string;
  readonly user: string;
  readonly database: string;
  readonly schema: string;
  readonly status: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly transactionId: string;
  /** null where the account does not say. */
  readonly inserted: number | null;
  readonly updated: number | null;
  readonly deleted: number | null;
  /** SHA-256 of the text, made by Snowflake: the text itself stays there, but for its beginning. */
  readonly textDigest: string;
  readonly textSize: number;
  readonly textStart: string;
};

/** One row of ACCESS_HISTORY of a statement that changed something. */
export type AccessRow = {
  readonly queryId: string;
  readonly startMs: number;
  /** `DATABASE.SCHEMA.NAME` of each changed table. */
  readonly modified: readonly string[];
  /** The object of a DDL statement. */
  readonly ddlObject: string | null;
};

/** What a redeeming procedure leaves (integrations/snowflake). */
export type RedemptionRow = { readonly queryId: string; readonly tokenHash: string; readonly atMs: number };

const DIGEST = /^[0-9a-f]{64}$/;
const OBJECTS_MAX = 1_024;

export function queryRow(row: SnowflakeRow): QueryRow {
  return {
    queryId: textOf(row, 'QUERY_ID'),
    type: textOf(row, 'QUERY_TYPE').toUpperCase(),
    tag: orEmpty(row, 'QUERY_TAG'),
    sessionId: orEmpty(row, 'SESSION_ID'),
    user: orEmpty(row, 'USER_NAME'),
    database: orEmpty(row, 'DATABASE_NAME'),
    schema: orEmpty(row, 'SCHEMA_NAME'),
    status: textOf(row, 'EXECUTION_STATUS').toUpperCase(),
    startMs: integerOf(row, 'START_MS'),
    endMs: integerOf(row, 'END_MS'),
    transactionId: orEmpty(row, 'TRANSACTION_ID'),
    inserted: countOf(row, 'ROWS_INSERTED'),
    updated: countOf(row, 'ROWS_UPDATED'),
    deleted: countOf(row, 'ROWS_DELETED'),
    textDigest: digestOf(row, 'TEXT_DIGEST'),
    textSize: countOf(row, 'TEXT_SIZE') ?? 0,
    textStart: orEmpty(row, 'TEXT_START'),
  };
}

export function accessRow(row: SnowflakeRow): AccessRow {
  const modified = objectsOf(row, 'MODIFIED');
  const [ddlObject] = objectsOf(row, 'DDL');
  return {
    queryId: textOf(row, 'QUERY_ID'),
    startMs: integerOf(row, 'START_MS'),
    modified,
    ddlObject: ddlObject ?? null,
  };
}

export function redemptionRow(row: SnowflakeRow): RedemptionRow {
  return {
    queryId: textOf(row, 'QUERY_ID'),
    tokenHash: digestOf(row, 'TOKEN_HASH'),
    atMs: integerOf(row, 'AT_MS'),
  };
}

export function textOf(row: SnowflakeRow, column: string): string {
  const value = row[column];
  if (typeof value === 'string' && value !== '') return value;
  throw malformed(column);
}

export function integerOf(row: SnowflakeRow, column: string): number {
  const value = countOf(row, column);
  if (value !== null) return value;
  throw malformed(column);
}

function orEmpty(row: SnowflakeRow, column: string): string {
  const value = row[column] ?? '';
  if (typeof value === 'string') return value;
  throw malformed(column);
}

function digestOf(row: SnowflakeRow, column: string): string {
  const value = textOf(row, column).toLowerCase();
  if (DIGEST.test(value)) return value;
  throw malformed(column);
}

function countOf(row: SnowflakeRow, column: string): number | null {
  const value = row[column] ?? null;
  if (value === null || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value;
  throw malformed(column);
}

/** A list of objects, one object, or none: members beyond name and domain are of no use here. */
function objectsOf(row: SnowflakeRow, column: string): readonly string[] {
  const text = orEmpty(row, column);
  if (text === '') return [];
  const value = parsed(text, column);
  const list = Array.isArray(value) ? value : [value];
  if (list.length > OBJECTS_MAX) throw malformed(column);
  return list.flatMap((entry: unknown) => {
    const { objectName, objectDomain } = (entry ?? {}) as { objectName?: unknown; objectDomain?: unknown };
    if (typeof objectName !== 'string') throw malformed(column);
    return objectDomain === 'Stage' ? [] : [objectName];
  });
}

function parsed(text: string, column: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed(column);
  }
}

function malformed(column: string): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_HISTORY_SHAPE',
    `a history row has no usable ${column}: the account's views differ from what is read here; nothing is guessed, so the source waits`,
    { retry: 'never', context: { column } },
  );
}
