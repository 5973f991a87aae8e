// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { DatabricksClient, DatabricksRow } from './databricks-client.ts';

/** One version of a Delta table as DESCRIBE HISTORY tells it. */
export type TableVersion = {
  readonly version: number;
  /** Milliseconds, the writer's clock. */
  readonly atMs: number;
  readonly operation: string;
  /** null where the driver shows an empty map: it does so for maps whose values hold quotation marks. */
  readonly parameters: Readonly<Record<string, string>> | null;
  readonly metrics: Readonly<Record<string, string>> | null;
  readonly userMetadata: string;
  readonly user: string;
};

export type LineageEvent = { readonly target: string; readonly atMs: number; readonly sources: readonly string[] };

const NAME = /^[^\u0000-\u001f]{1,256}$/;

/** Which metastore answers (or, without Unity Catalog, which host), and its clock. */
export async function metastoreFacts(
  client: DatabricksClient,
  host: string,
): Promise<{ readonly systemId: string; readonly nowMs: number }> {
  const [clock = {}] = await client.query('SELECT unix_millis(current_timestamp()) AS now_ms', 1);
  const nowMs = millis(clock['now_ms'], 'now_ms');
  try {
    const [row = {}] = await client.query('SELECT current_metastore() AS metastore', 1);
    const metastore = row['metastore'];
    if (typeof metastore === 'string' && NAME.test(metastore)) return { systemId: `databricks:${metastore}`, nowMs };
  } catch (error) {
    // Without Unity Catalog there is no metastore to name; anything else is passed on.
    if (!(error instanceof ClyraError) || error.context['sql_state'] == null) throw error;
  }
  return { systemId: `databricks-host:${host}`, nowMs };
}

/** The table's own id: a table that was dropped and made again has another. */
export async function tableId(client: DatabricksClient, table: string): Promise<string> {
  const [row = {}] = await client.query(`DESCRIBE DETAIL ${quoted(table)}`, 1);
  const id = row['id'];
  if (typeof id === 'string' && NAME.test(id)) return id;
  throw malformed(table, 'id');
}

type VersionWindow = {
  /** The newest version that the table has. */
  readonly newest: TableVersion | undefined;
  /** Newest first: the oldest ones of the range, and the one before it where that is shown. */
  readonly versions: readonly TableVersion[];
  /** There are younger ones than these: the window was full. */
  readonly isCut: boolean;
};

type VersionRange = {
  readonly fromMs: number;
  readonly fromVersion: number;
  readonly countMax: number;
};

const ASKED_MIN = 500;
const ASKED_GROWTH = 8;
const ASKED_MAX = 2_000_000_000;

/**
 * The oldest versions in a range. Histories come newest first and in one piece: so many are asked for that they reach
 * back far enough, and of what is younger than the window nothing is kept.
 */
export async function versionsSince(
  client: DatabricksClient,
  table: string,
  range: VersionRange,
): Promise<VersionWindow> {
  for (let count = ASKED_MIN; ; count = Math.min(ASKED_MAX, count * ASKED_GROWTH)) {
    const { window, isComplete } = await scanned(client, table, { ...range, count });
    if (isComplete || count >= ASKED_MAX) return window;
  }
}

async function scanned(
  client: DatabricksClient,
  table: string,
  { fromMs, fromVersion, countMax, count }: VersionRange & { readonly count: number },
): Promise<{ readonly window: VersionWindow; readonly isComplete: boolean }> {
  let versions: TableVersion[] = [];
  let newest: TableVersion | undefined;
  let seenCount = 0;
  let isReached = false;
  let isCut = false;
  const trim = (most: number): void => {
    if (versions.length <= most) return;
    versions = versions.slice(-countMax);
    isCut = true;
  };
  await client.scan(`DESCRIBE HISTORY ${quoted(table)} LIMIT ${count}`, (rows) => {
    for (const row of rows) {
      const version = versionOf(row, table);
      newest ??= version;
      seenCount += 1;
      versions.push(version);
      isReached = version.atMs < fromMs || version.version < fromVersion;
      if (isReached) return false;
    }
    trim(2 * countMax);
    return true;
  });
  trim(countMax);
  return { window: { newest, versions, isCut }, isComplete: isReached || seenCount < count };
}

/** What Unity Catalog saw being written; undefined where there is no lineage to read. */
export async function lineageEvents(
  client: DatabricksClient,
  tables: readonly string[],
  range: { readonly fromMs: number; readonly countMax: number },
): Promise<readonly LineageEvent[] | undefined> {
  const names = tables.map((table) => `'${table.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`).join(', ');
  const sql = `SELECT target_table_full_name AS target, unix_millis(event_time) AS at_ms,
      concat_ws(',', collect_set(source_table_full_name)) AS sources
    FROM system.access.table_lineage
    WHERE event_time >= timestamp_millis(${range.fromMs}) AND target_table_full_name IN (${names})
    GROUP BY target_table_full_name, event_time ORDER BY event_time LIMIT ${range.countMax}`;
  try {
    const rows = await client.query(sql, range.countMax);
    return rows.map((row) => ({
      target: String(row['target']),
      atMs: millis(row['at_ms'], 'at_ms'),
      sources: String(row['sources'] ?? '')
        .split(',')
        .filter((name) => name !== ''),
    }));
  } catch (error) {
    if (error instanceof ClyraError && error.context['sql_state'] != null) return undefined;
    throw error;
  }
}

function versionOf(row: DatabricksRow, table: string): TableVersion {
  const { operation } = row;
  if (typeof operation !== 'string') throw malformed(table, 'operation');
  return {
    version: millis(row['version'], 'version'),
    atMs: timeOf(row['timestamp'], table),
    operation,
    parameters: mapOf(row['operationParameters'], table),
    metrics: mapOf(row['operationMetrics'], table),
    userMetadata: typeof row['userMetadata'] === 'string' ? row['userMetadata'] : '',
    user: typeof row['userName'] === 'string' ? row['userName'] : '',
  };
}

function mapOf(value: unknown, table: string): TableVersion['metrics'] {
  const map: unknown = typeof value === 'string' ? parsed(value, table) : (value ?? {});
  if (typeof map !== 'object' || map === null || Array.isArray(map)) throw malformed(table, 'a map');
  const entries = Object.entries(map).map(([name, text]) => [name, String(text)] as const);
  return entries.length === 0 ? null : Object.fromEntries(entries);
}

function parsed(text: string, table: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw malformed(table, 'a map');
  }
}

/** A date, or a text in the session's zone, which is UTC. */
function timeOf(value: unknown, table: string): number {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  const text = typeof value === 'string' ? /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2}(?:\.\d+)?)/.exec(value) : null;
  const atMs = text === null ? Number.NaN : Date.parse(`${text[1]}T${text[2]}Z`);
  if (Number.isNaN(atMs)) throw malformed(table, 'timestamp');
  return atMs;
}

function millis(value: unknown, column: string): number {
  const number = typeof value === 'bigint' || typeof value === 'string' ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw malformed('', column);
}

function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => `\`${part.replaceAll('`', '``')}\``)
    .join('.');
}

function malformed(table: string, what: string): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_HISTORY_SHAPE',
    `the history of ${table} has no usable ${what}: it differs from what is read here; nothing is guessed, so the source waits`,
    { retry: 'never', context: { table, what } },
  );
}
