// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import {
  type AccessRow,
  accessRow,
  integerOf,
  type QueryRow,
  queryRow,
  type RedemptionRow,
  redemptionRow,
  textOf,
} from './history-rows.ts';
import type { SnowflakeClient, SnowflakeRow } from './snowflake-client.ts';

export type AccountFacts = { readonly systemId: string; readonly nowMs: number };

export type Page<Row> = {
  readonly rows: readonly Row[];
  /** Where the next page begins; null after the last one. */
  readonly next: PageKey | null;
};

export type PageKey = { readonly atMs: number; readonly id: string };

export type PageRequest = {
  /** Rows at or after this time, milliseconds. */
  readonly fromMs: number;
  readonly after: PageKey | null;
  readonly rowsMax: number;
};

/** Statements that change no table by themselves; a procedure's own statements have rows of their own. */
const READS = [
  'SELECT',
  'SHOW',
  'DESCRIBE',
  'DESCRIBE_QUERY',
  'EXPLAIN',
  'USE',
  'SET',
  'UNSET',
  'ALTER_SESSION',
  'BEGIN_TRANSACTION',
  'COMMIT',
  'ROLLBACK',
  'CALL',
  'LIST_FILES',
  'GET_FILES',
  'PUT_FILES',
  'UNLOAD',
];
const TEXT_START_SIZE = 4_096;

const QUERIES = `select query_id, query_type, query_tag, session_id::varchar as session_id, user_name, database_name,
    schema_name, execution_status, transaction_id::varchar as transaction_id, rows_inserted, rows_updated, rows_deleted,
    date_part(epoch_millisecond, start_time) as start_ms, date_part(epoch_millisecond, end_time) as end_ms,
    sha2(query_text, 256) as text_digest, length(query_text) as text_size,
    left(query_text, ${TEXT_START_SIZE}) as text_start, date_part(epoch_millisecond, end_time) as page_ms,
    query_id as page_id
  from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY
  where end_time >= to_timestamp_tz(?, 3)
    and (query_type not in (${READS.map((type) => `'${type}'`).join(', ')})
      or coalesce(rows_inserted, 0) + coalesce(rows_updated, 0) + coalesce(rows_deleted, 0) > 0)
    and (date_part(epoch_millisecond, end_time) > ? or (date_part(epoch_millisecond, end_time) = ? and query_id > ?))`;

const ACCESSES = `select query_id, date_part(epoch_millisecond, query_start_time) as start_ms,
    to_json(objects_modified) as modified, to_json(object_modified_by_ddl) as ddl,
    date_part(epoch_millisecond, query_start_time) as page_ms, query_id as page_id
  from SNOWFLAKE.ACCOUNT_USAGE.ACCESS_HISTORY
  where query_start_time >= to_timestamp_tz(?, 3)
    and (array_size(objects_modified) > 0 or object_modified_by_ddl is not null)
    and (date_part(epoch_millisecond, query_start_time) > ?
      or (date_part(epoch_millisecond, query_start_time) = ? and query_id > ?))`;

const redemptions = (table: string): string => `select query_id, token_hash,
    date_part(epoch_millisecond, redeemed_at) as at_ms, date_part(epoch_millisecond, redeemed_at) as page_ms,
    redemption_id as page_id
  from ${table}
  where redeemed_at >= to_timestamp_tz(?, 3) and (date_part(epoch_millisecond, redeemed_at) > ?
      or (date_part(epoch_millisecond, redeemed_at) = ? and redemption_id > ?))`;

/** The first rows, each with how many there were. Where there are none, one row says so: an answer without rows is cut short. */
const firstOf = (listed: string, rowsMax: number): string => `with listed as (${listed})
  select page.*, counted.left_count from (select count(*) as left_count from listed) counted
  left join (select * from listed order by page_ms, page_id limit ${Math.trunc(rowsMax)}) page on true
  order by page_ms, page_id`;

/** Names the recorder's settings may give for the redemption table: three plain parts, never quoted. */
export const PLAIN_TABLE = /^[A-Za-z_][A-Za-z0-9_$]{0,127}(?:\.[A-Za-z_][A-Za-z0-9_$]{0,127}){2}$/;

/** Which account this is, and its clock. */
export async function accountFacts(client: SnowflakeClient): Promise<AccountFacts> {
  const sql = `select current_account() as account, current_region() as region,
    date_part(epoch_millisecond, current_timestamp()) as now_ms`;
  const [row = {}] = await client.query(sql, [], 1);
  return {
    systemId: `snowflake:${textOf(row, 'ACCOUNT')}:${textOf(row, 'REGION')}`,
    nowMs: integerOf(row, 'NOW_MS'),
  };
}

export function queryPage(client: SnowflakeClient, request: PageRequest): Promise<Page<QueryRow>> {
  return page(client, QUERIES, { request, read: queryRow });
}

export function accessPage(client: SnowflakeClient, request: PageRequest): Promise<Page<AccessRow>> {
  return page(client, ACCESSES, { request, read: accessRow });
}

export function redemptionPage(
  client: SnowflakeClient,
  table: string,
  request: PageRequest,
): Promise<Page<RedemptionRow>> {
  if (!PLAIN_TABLE.test(table)) throw new RangeError('the redemption table is checked where settings are read');
  return page(client, redemptions(table), { request, read: redemptionRow });
}

/**
 * By time and id, never by offset: rows that appear meanwhile shift nothing. Each page says how many rows were left
 * when it was made, so that one that was cut short on its way is noticed, also one of which nothing came.
 */
async function page<Row>(
  client: SnowflakeClient,
  sql: string,
  { request, read }: { readonly request: PageRequest; readonly read: (row: SnowflakeRow) => Row },
): Promise<Page<Row>> {
  const { fromMs, after, rowsMax } = request;
  const { atMs, id } = after ?? { atMs: fromMs - 1, id: '' };
  // A limit is written out: not every statement takes one as a bound value.
  const answer = await client.query(firstOf(sql, rowsMax), [fromMs, atMs, atMs, id], rowsMax);
  const [first] = answer;
  if (first === undefined) throw cutShort(0, 1);
  const leftCount = integerOf(first, 'LEFT_COUNT');
  const rows = leftCount === 0 ? [] : answer;
  const expectedCount = Math.min(leftCount, rowsMax);
  if (rows.length !== expectedCount) throw cutShort(rows.length, expectedCount);
  const last = leftCount > rows.length ? rows.at(-1) : undefined;
  const next = last === undefined ? null : { atMs: integerOf(last, 'PAGE_MS'), id: textOf(last, 'PAGE_ID') };
  return { rows: rows.map(read), next };
}

function cutShort(count: number, expectedCount: number): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_PAGE_SHORT',
    'a page of the history has fewer rows than it says: it is asked for again',
    { retry: 'backoff', context: { rows: count, expected: expectedCount } },
  );
}

const LOOKUP_COUNT_MAX = 500;

/** Which of these statements the account knows at all, of whatever kind and end they are. */
export async function existingQueries(
  client: SnowflakeClient,
  queryIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let start = 0; start < queryIds.length; start += LOOKUP_COUNT_MAX) {
    const ids = queryIds.slice(start, start + LOOKUP_COUNT_MAX);
    const sql = `select query_id from SNOWFLAKE.ACCOUNT_USAGE.QUERY_HISTORY where query_id in (${ids.map(() => '?').join(', ')})`;
    for (const row of await client.query(sql, ids, LOOKUP_COUNT_MAX * 2)) found.add(textOf(row, 'QUERY_ID'));
  }
  return found;
}
