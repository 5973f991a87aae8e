// SPDX-License-Identifier: Apache-2.0
import {
  accessPage,
  type Page,
  type PageKey,
  type PageRequest,
  queryPage,
  redemptionPage,
} from '@clyra/adapter-snowflake/account-history';
import type { AccessRow, QueryRow, RedemptionRow } from '@clyra/adapter-snowflake/history-rows';
import type { SnowflakeClient } from '@clyra/adapter-snowflake/snowflake-client';
import { ClyraError } from '@clyra/core/kernel/error';

type WindowRequest = {
  readonly client: SnowflakeClient;
  /** Statements that ended at or after it, milliseconds. */
  readonly fromMs: number;
  readonly accessLagMs: number;
  readonly hasAccessHistory: boolean;
  readonly redemptions?: string;
  readonly pageRowsMax: number;
  /** Statements that one window holds at most. */
  readonly statementsMax: number;
  /** A statement that another view names and this window does not show. */
  readonly onNamed: (queryId: string, atMs: number) => void;
};

/** What the views say of the statements that ended in [fromMs, untilMs): of the others nothing is kept. */
export type HistoryWindow = {
  readonly queries: readonly QueryRow[];
  readonly accesses: ReadonlyMap<string, AccessRow>;
  readonly redemptions: ReadonlyMap<string, readonly RedemptionRow[]>;
  /** Infinity where the window reaches to the end of what the account shows. */
  readonly untilMs: number;
};

/** Throws CLY_SOURCE_HISTORY_LARGE where one millisecond has more statements than a window holds. */
export async function readWindow(request: WindowRequest): Promise<HistoryWindow> {
  const { queries, untilMs } = await statementsOf(request);
  const shown = new Set(queries.map(({ queryId }) => queryId));
  const place = { shown, untilMs };
  const accesses = request.hasAccessHistory
    ? await accessesOf(request, { ...place, queries })
    : new Map<string, AccessRow>();
  const redemptions = await redemptionsOf(request, place);
  return { queries, accesses, redemptions, untilMs };
}

/** Whole milliseconds only: what else ended in the last one is for the next window. */
async function statementsOf({
  client,
  fromMs,
  pageRowsMax: rowsMax,
  statementsMax,
}: WindowRequest): Promise<Pick<HistoryWindow, 'queries' | 'untilMs'>> {
  const queries: QueryRow[] = [];
  for await (const rows of pages((page) => queryPage(client, page), { fromMs, rowsMax })) {
    queries.push(...rows);
    const first = queries[statementsMax];
    if (first === undefined) continue;
    const whole = queries.filter(({ endMs }) => endMs < first.endMs);
    if (whole.length === 0) throw tooMany(first.endMs, statementsMax);
    return { queries: whole, untilMs: first.endMs };
  }
  return { queries, untilMs: Number.POSITIVE_INFINITY };
}

type Place = { readonly shown: ReadonlySet<string>; readonly untilMs: number };

/** A statement is listed under its start there: it may have begun long before it ended. */
async function accessesOf(
  { client, fromMs, pageRowsMax: rowsMax, onNamed }: WindowRequest,
  { shown, untilMs, queries }: Place & Pick<HistoryWindow, 'queries'>,
): Promise<HistoryWindow['accesses']> {
  const startMs = queries.reduce((least, row) => Math.min(least, row.startMs), fromMs);
  const byQuery = new Map<string, AccessRow>();
  for await (const rows of pages((page) => accessPage(client, page), { fromMs: startMs, rowsMax })) {
    for (const row of rows) {
      if (row.startMs >= untilMs) return byQuery;
      if (!shown.has(row.queryId)) {
        onNamed(row.queryId, row.startMs);
        continue;
      }
      const before = byQuery.get(row.queryId);
      const modified = [...new Set([...(before?.modified ?? []), ...row.modified])];
      byQuery.set(row.queryId, { ...row, modified, ddlObject: row.ddlObject ?? before?.ddlObject ?? null });
    }
  }
  return byQuery;
}

async function redemptionsOf(
  { client, redemptions: table, fromMs, accessLagMs, pageRowsMax: rowsMax, onNamed }: WindowRequest,
  { shown, untilMs }: Place,
): Promise<HistoryWindow['redemptions']> {
  const byQuery = new Map<string, RedemptionRow[]>();
  if (table === undefined) return byQuery;
  const range = { fromMs: fromMs - accessLagMs, rowsMax };
  for await (const rows of pages((page) => redemptionPage(client, table, page), range)) {
    for (const row of rows) {
      // Redeemed while the statement ran, by a clock that need not be quite the same.
      if (row.atMs >= untilMs + accessLagMs) return byQuery;
      const known = byQuery.get(row.queryId);
      if (known !== undefined) known.push(row);
      else if (shown.has(row.queryId)) byQuery.set(row.queryId, [row]);
      else if (row.atMs < untilMs) onNamed(row.queryId, row.atMs);
    }
  }
  return byQuery;
}

/** In the order of their times. */
async function* pages<Row>(
  pageOf: (request: PageRequest) => Promise<Page<Row>>,
  range: Pick<PageRequest, 'fromMs' | 'rowsMax'>,
): AsyncGenerator<readonly Row[]> {
  let after: PageKey | null = null;
  do {
    const page: Page<Row> = await pageOf({ ...range, after });
    yield page.rows;
    after = page.next;
  } while (after !== null);
}

function tooMany(atMs: number, statementsMax: number): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_HISTORY_LARGE',
    `more than ${statementsMax} statements ended in one millisecond: they cannot be held at once, and the horizon stands before them`,
    { retry: 'never', context: { at_ms: atMs, statements_max: statementsMax } },
  );
}
