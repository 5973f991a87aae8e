// SPDX-License-Identifier: Apache-2.0
import {
  accessPage,
  accountFacts,
  existingQueries,
  type Page,
  type PageKey,
  type PageRequest,
  queryPage,
  redemptionPage,
} from '@clyra/adapter-snowflake/account-history';
import type { AccessRow, QueryRow, RedemptionRow } from '@clyra/adapter-snowflake/history-rows';
import { openSnowflakeClient, type SnowflakeClient } from '@clyra/adapter-snowflake/snowflake-client';
import type { SnowflakeConnection, SnowflakeTimeouts } from '@clyra/adapter-snowflake/snowflake-settings';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Coverage } from '../../observation/coverage-body.ts';
import type { HistoryPass, HistoryRequest, HistorySource, WarehouseFacts } from '../history-source.ts';
import { lateGap } from '../late-gap.ts';
import { MissingStatements } from './missing-statements.ts';
import { type SnowflakeLags, settleStatements } from './settle-statements.ts';

export type SnowflakeSourceSettings = SnowflakeLags & {
  readonly connection: SnowflakeConnection;
  readonly timeouts?: Partial<SnowflakeTimeouts>;
  /** `DATABASE.SCHEMA.TABLE` of each. */
  readonly guarded: readonly string[];
  /** Whether ACCESS_HISTORY is read. */
  readonly hasAccessHistory: boolean;
  /** Where redeeming procedures leave their rows, if there are any. */
  readonly redemptions?: string;
  /** How far back of the horizon late rows are looked for. */
  readonly overlapMs: number;
  /** How often that is done; other looks begin at the horizon. */
  readonly deepEveryMs: number;
  /** How long the account keeps its history. */
  readonly retentionMs: number;
  readonly pageRowsMax: number;
};

/** Rows of one look: a source that is further behind comes nearer with each look. */
const PASS_ROWS_MAX = 200_000;
/** What is written after a watermark ended at most so long after what the view's latency says. */
const MARGIN_MS = 3_600_000;

/** The history of a Snowflake account, read again and again with overlap. */
export class SnowflakeHistory implements HistorySource {
  readonly overlapMs: number;
  readonly lagMs: number;
  readonly #settings: SnowflakeSourceSettings;
  readonly #client: SnowflakeClient;
  readonly #missing: MissingStatements;
  #deepAtMs: number | undefined;

  constructor(settings: SnowflakeSourceSettings) {
    const { connection, timeouts, queryLagMs, accessLagMs } = settings;
    this.#settings = settings;
    this.overlapMs = settings.overlapMs;
    this.lagMs = Math.max(queryLagMs, accessLagMs) + MARGIN_MS;
    this.#client = openSnowflakeClient({ connection, ...(timeouts === undefined ? {} : { timeouts }) });
    this.#missing = new MissingStatements(queryLagMs + MARGIN_MS);
  }

  facts(): Promise<WarehouseFacts> {
    return accountFacts(this.#client);
  }

  async coverage(): Promise<Coverage> {
    const { guarded, hasAccessHistory, redemptions } = this.#settings;
    return {
      scope: 'listed',
      relations: [...guarded].sort(),
      blindSpots: [
        { code: 'hybrid_statements_unseen' },
        { code: 'pipes_unseen' },
        { code: 'rollbacks_unseen' },
        { code: 'row_values_unseen' },
        ...(hasAccessHistory ? [] : [{ code: 'no_access_history' }]),
        ...(redemptions === undefined ? [{ code: 'links_open' }] : []),
      ],
    };
  }

  async read(request: HistoryRequest): Promise<HistoryPass> {
    const { nowMs, beganMs, horizonMs } = request;
    const { queryLagMs, accessLagMs, hasAccessHistory, overlapMs, deepEveryMs } = this.#settings;
    const isDeep = this.#deepAtMs === undefined || nowMs - this.#deepAtMs >= deepEveryMs;
    const fromMs = Math.max(beganMs, isDeep ? horizonMs - overlapMs : horizonMs);
    const queries = await this.#all<QueryRow>((page) => queryPage(this.#client, page), fromMs);
    const accesses = hasAccessHistory ? await this.#accesses(queries, fromMs) : new Map<string, AccessRow>();
    const redemptions = await this.#redemptions(fromMs);
    const lags = { queryLagMs, accessLagMs };
    const settled = settleStatements({ ...request, lags, hasAccessHistory, queries, accesses, redemptions });
    const gaps = [
      ...this.#agedOut(request),
      ...lateGap(settled.statements, horizonMs),
      ...(await this.#lost(request, { queries, accesses, redemptions })),
    ];
    if (isDeep) this.#deepAtMs = nowMs;
    return {
      statements: settled.statements,
      gaps,
      coversUntilMs: settled.coversUntilMs,
      heldCount: settled.held.length,
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** A statement is listed under its start there: it may have begun long before it ended. */
  async #accesses(queries: readonly QueryRow[], fromMs: number): Promise<Map<string, AccessRow>> {
    const startMs = queries.reduce((least, row) => Math.min(least, row.startMs), fromMs);
    const byQuery = new Map<string, AccessRow>();
    for (const row of await this.#all<AccessRow>((page) => accessPage(this.#client, page), startMs)) {
      const before = byQuery.get(row.queryId);
      const modified = [...new Set([...(before?.modified ?? []), ...row.modified])];
      byQuery.set(row.queryId, { ...row, modified, ddlObject: row.ddlObject ?? before?.ddlObject ?? null });
    }
    return byQuery;
  }

  async #redemptions(fromMs: number): Promise<Map<string, readonly RedemptionRow[]>> {
    const { redemptions: table, accessLagMs } = this.#settings;
    const byQuery = new Map<string, readonly RedemptionRow[]>();
    if (table === undefined) return byQuery;
    const rows = await this.#all<RedemptionRow>(
      (page) => redemptionPage(this.#client, table, page),
      fromMs - accessLagMs,
    );
    for (const row of rows) byQuery.set(row.queryId, [...(byQuery.get(row.queryId) ?? []), row]);
    return byQuery;
  }

  async #all<Row>(pageOf: (request: PageRequest) => Promise<Page<Row>>, fromMs: number): Promise<readonly Row[]> {
    const { pageRowsMax } = this.#settings;
    const rows: Row[] = [];
    let after: PageKey | null = null;
    do {
      const page: Page<Row> = await pageOf({ fromMs, after, rowsMax: pageRowsMax });
      rows.push(...page.rows);
      after = page.next;
      if (rows.length > PASS_ROWS_MAX) throw tooMuch();
    } while (after !== null);
    return rows;
  }

  /** What the account had forgotten before it was read is lost, and nobody will ever tell it. */
  #agedOut({ nowMs, horizonMs }: HistoryRequest): HistoryPass['gaps'] {
    const oldestMs = nowMs - this.#settings.retentionMs;
    if (horizonMs >= oldestMs) return [];
    return [{ from: `@${horizonMs}`, to: `@${oldestMs}`, reason: 'history_aged_out' }];
  }

  /** Other views name statements that QUERY_HISTORY never showed. */
  async #lost(
    request: HistoryRequest,
    seen: {
      readonly queries: readonly QueryRow[];
      readonly accesses: ReadonlyMap<string, AccessRow>;
      readonly redemptions: ReadonlyMap<string, readonly RedemptionRow[]>;
    },
  ): Promise<HistoryPass['gaps']> {
    const shown = new Set(seen.queries.map(({ queryId }) => queryId));
    const named = new Map<string, number>();
    for (const { queryId, startMs } of seen.accesses.values()) named.set(queryId, startMs);
    for (const [queryId, [row]] of seen.redemptions) named.set(queryId, row?.atMs ?? 0);
    for (const [queryId, atMs] of named) if (atMs < request.beganMs) named.delete(queryId);
    const isShown = (queryId: string): boolean => shown.has(queryId) || request.isKnown(queryId);
    const overdue = this.#missing.overdue(named, { isShown, nowMs: request.nowMs });
    if (overdue.size === 0) return [];
    const existing = await existingQueries(this.#client, [...overdue.keys()]);
    return [...overdue]
      .filter(([queryId]) => !existing.has(queryId))
      .map(([queryId, atMs]) => ({ from: `@${atMs}`, to: queryId, reason: 'statement_missing' }));
  }
}

function tooMuch(): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_HISTORY_LARGE',
    `the history of one look has more than ${PASS_ROWS_MAX} rows: shorten overlap_minutes, or have the recorder look more often`,
    { retry: 'never', context: { rows_max: PASS_ROWS_MAX } },
  );
}
