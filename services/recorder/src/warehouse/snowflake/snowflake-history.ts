// SPDX-License-Identifier: Apache-2.0
import { accountFacts, existingQueries } from '@clyra/adapter-snowflake/account-history';
import { openSnowflakeClient, type SnowflakeClient } from '@clyra/adapter-snowflake/snowflake-client';
import type { SnowflakeConnection, SnowflakeTimeouts } from '@clyra/adapter-snowflake/snowflake-settings';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Coverage } from '../../observation/coverage-body.ts';
import type { HistoryPass, HistoryRequest, HistorySource, WarehouseFacts } from '../history-source.ts';
import { lateGap } from '../late-gap.ts';
import { gapKey } from '../log-book.ts';
import { type HistoryGap, placeOf, STATEMENT_MISSING } from '../observed-statement.ts';
import { type HistoryWindow, readWindow } from './history-window.ts';
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
  /** Statements of one look, 200,000 without it: tests have fewer. */
  readonly windowMax?: number;
  /** Statements that only other views name and that are waited for, 100,000 without it. */
  readonly missingMax?: number;
};

/** Statements of one look: a source that is further behind comes nearer with each. */
const WINDOW_MAX = 200_000;
/** The part of the history that is read by itself: all of it. */
const WINDOW = '';
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
    this.#missing = new MissingStatements(queryLagMs + MARGIN_MS, settings.missingMax);
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
    const { nowMs, beganMs, horizonMs, resume, isKnown } = request;
    const { queryLagMs, accessLagMs, hasAccessHistory, overlapMs, deepEveryMs, windowMax } = this.#settings;
    const resumeMs = resume.get(WINDOW);
    const isDeep = resumeMs !== undefined || this.#deepAtMs === undefined || nowMs - this.#deepAtMs >= deepEveryMs;
    const isOver = (queryId: string, atMs: number): boolean =>
      isKnown(queryId) || isKnown(gapKey(missingGap(queryId, atMs)));
    this.#missing.settle(isOver);
    let hasRoom = true;
    const window = await readWindow({
      ...this.#settings,
      client: this.#client,
      fromMs: resumeMs ?? Math.max(beganMs, isDeep ? horizonMs - overlapMs : horizonMs),
      statementsMax: windowMax ?? WINDOW_MAX,
      onNamed: (queryId, atMs) => {
        if (atMs >= beganMs && !isOver(queryId, atMs)) hasRoom = this.#missing.name(queryId, atMs, nowMs) && hasRoom;
      },
    });
    const settled = settleStatements({ ...request, lags: { queryLagMs, accessLagMs }, hasAccessHistory, ...window });
    const { statements, held } = settled;
    const lost = await this.#lost(window, nowMs);
    const told = { statements, gaps: [...this.#agedOut(request), ...lateGap(statements, horizonMs), ...lost] };
    // They are named again by the next look, which begins where this one did.
    if (!hasRoom) {
      return { ...told, coversUntilMs: horizonMs, heldCount: held.length, resume, isBehind: false, trouble: unseen() };
    }
    const { untilMs } = window;
    // A deep look that ends before the horizon goes on where it ended; one that ends behind it moves the horizon there.
    const isPart = untilMs <= horizonMs;
    const coversUntilMs = Math.max(horizonMs, Math.min(settled.coversUntilMs, untilMs));
    if (isDeep && !isPart) this.#deepAtMs = nowMs;
    return {
      ...told,
      coversUntilMs,
      heldCount: held.length,
      resume: isPart ? new Map([[WINDOW, untilMs]]) : new Map(),
      isBehind: isPart || (untilMs < Number.POSITIVE_INFINITY && coversUntilMs > horizonMs),
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** What the account had forgotten before it was read is lost, and nobody will ever tell it. */
  #agedOut({ nowMs, horizonMs }: HistoryRequest): HistoryPass['gaps'] {
    const oldestMs = nowMs - this.#settings.retentionMs;
    if (horizonMs >= oldestMs) return [];
    return [{ from: `@${horizonMs}`, to: `@${oldestMs}`, reason: 'history_aged_out' }];
  }

  /** Other views name statements that QUERY_HISTORY never showed. */
  async #lost({ queries }: HistoryWindow, nowMs: number): Promise<HistoryPass['gaps']> {
    const shown = new Set(queries.map(({ queryId }) => queryId));
    this.#missing.settle((queryId) => shown.has(queryId));
    const overdue = this.#missing.overdue(nowMs);
    if (overdue.size === 0) return [];
    const existing = await existingQueries(this.#client, [...overdue.keys()]);
    this.#missing.settle((queryId) => existing.has(queryId));
    // These stay until their gap is in the log.
    return [...overdue].filter(([queryId]) => !existing.has(queryId)).map((missed) => missingGap(...missed));
  }
}

function missingGap(queryId: string, atMs: number): HistoryGap {
  return { from: placeOf(atMs), to: queryId, reason: STATEMENT_MISSING };
}

function unseen(): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_STATEMENTS_UNSEEN',
    'other views name more statements that QUERY_HISTORY does not show than are waited for: the horizon stands until these are shown, or gaps are signed',
    { retry: 'backoff' },
  );
}
