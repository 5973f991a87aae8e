// SPDX-License-Identifier: Apache-2.0
import { type DatabricksClient, openDatabricksClient } from '@clyra/adapter-databricks/databricks-client';
import type { DatabricksConnection, DatabricksTimeouts } from '@clyra/adapter-databricks/databricks-settings';
import {
  lineageEvents,
  metastoreFacts,
  newestVersions,
  type TableVersion,
  tableId,
} from '@clyra/adapter-databricks/table-history';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Coverage } from '../../observation/coverage-body.ts';
import type { HistoryPass, HistoryRequest, HistorySource, WarehouseFacts } from '../history-source.ts';
import { lateGap } from '../late-gap.ts';
import type { HistoryGap, ObservedStatement } from '../observed-statement.ts';
import { unexplainedLineage } from './lineage-check.ts';
import { type LookContext, type SettledVersions, settleVersions, type TableLook } from './settle-versions.ts';
import { toldVersion } from './told-version.ts';

export type DatabricksSourceSettings = {
  readonly connection: DatabricksConnection;
  readonly timeouts?: Partial<DatabricksTimeouts>;
  /** `catalog.schema.table` of each. */
  readonly guarded: readonly string[];
  /** How far a writer's clock may be behind, and a version be on its way. */
  readonly lagMs: number;
  readonly overlapMs: number;
  /** Whether Unity Catalog's lineage is asked for writes that no version shows. */
  readonly readsLineage: boolean;
  readonly lineageLagMs: number;
  /** By table, where its `_delta_log` is: a folder, or s3://bucket/prefix. */
  readonly deltaLogs: ReadonlyMap<string, string>;
};

export type DatabricksTools = { readonly openBlobs: (where: string) => Promise<BlobStore> };

const VERSIONS_MIN = 500;
const VERSIONS_MAX = 32_000;
const VERSIONS_GROWTH = 8;
const LINEAGE_COUNT_MAX = 50_000;
const MARGIN_MS = 600_000;

/** The histories of Delta tables, read again and again with overlap. */
export class DatabricksHistory implements HistorySource {
  readonly overlapMs: number;
  readonly lagMs: number;
  readonly #settings: DatabricksSourceSettings;
  readonly #tools: DatabricksTools;
  readonly #client: DatabricksClient;
  readonly #logs = new Map<string, BlobStore>();
  #hasLineage: boolean;

  constructor(settings: DatabricksSourceSettings, tools: DatabricksTools) {
    const { connection, timeouts } = settings;
    this.#settings = settings;
    this.#tools = tools;
    this.overlapMs = settings.overlapMs;
    this.lagMs = settings.lagMs + MARGIN_MS;
    this.#hasLineage = settings.readsLineage;
    this.#client = openDatabricksClient({ connection, ...(timeouts === undefined ? {} : { timeouts }) });
  }

  facts(): Promise<WarehouseFacts> {
    return metastoreFacts(this.#client, this.#settings.connection.host);
  }

  async coverage(): Promise<Coverage> {
    const { guarded, deltaLogs } = this.#settings;
    const unlogged = guarded.filter((table) => !deltaLogs.has(table)).sort();
    return {
      scope: 'listed',
      relations: [...guarded].sort(),
      blindSpots: [
        { code: 'drops_unseen' },
        { code: 'links_open' },
        { code: 'row_values_unseen' },
        ...(this.#hasLineage ? [] : [{ code: 'no_lineage' }]),
        ...unlogged.map((relation) => ({ code: 'maintenance_unproved', relation })),
      ],
    };
  }

  async read(request: HistoryRequest): Promise<HistoryPass> {
    const { guarded, lagMs } = this.#settings;
    const statements: ObservedStatement[] = [];
    const gaps: HistoryGap[] = [];
    const seen: { readonly table: string; readonly atMs: number }[] = [];
    let coversUntilMs = request.nowMs - lagMs;
    let heldCount = 0;
    for (const table of guarded) {
      const { look, settled } = await this.#table(table, request);
      gaps.push(...settled.gaps);
      coversUntilMs = Math.min(coversUntilMs, settled.coversUntilMs);
      if (settled.coversUntilMs < request.nowMs - lagMs) heldCount += 1;
      seen.push(...look.versions.map(({ atMs }) => ({ table, atMs })));
      for (const version of settled.fresh) {
        const told = await this.#told(look, version, request.horizonMs);
        statements.push(told.statement);
        gaps.push(...told.gaps);
      }
    }
    statements.sort((left, right) => left.committedAtMs - right.committedAtMs);
    gaps.push(...lateGap(statements, request.horizonMs), ...(await this.#lineage(request, seen)));
    return { statements, gaps, coversUntilMs: Math.max(coversUntilMs, request.horizonMs), heldCount };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** A hole may be an answer that was cut short: it is asked for once more before it counts. */
  async #table(
    table: string,
    request: HistoryRequest,
  ): Promise<{ readonly look: TableLook; readonly settled: SettledVersions }> {
    const { lagMs } = this.#settings;
    const reachMs = Math.max(request.beganMs, request.horizonMs - this.overlapMs);
    const context: LookContext = { ...request, lagMs, reachMs, wasCovered: request.covered.has(table) };
    const look = await this.#look(table, request);
    const settled = settleVersions(look, context);
    if (!settled.hasHole && settled.gaps.length === 0) return { look, settled };
    const again = await this.#look(table, request);
    return { look: again, settled: settleVersions(again, context) };
  }

  /** Histories come newest first and in one piece: so many are asked for that they reach back far enough. */
  async #look(table: string, { beganMs, horizonMs }: HistoryRequest): Promise<TableLook> {
    const { readsLineage, lineageLagMs } = this.#settings;
    const reachMs = this.overlapMs + (readsLineage ? lineageLagMs + MARGIN_MS : 0);
    const fromMs = Math.max(beganMs, horizonMs - reachMs) - MARGIN_MS;
    const id = await tableId(this.#client, table);
    for (let count = VERSIONS_MIN; ; count = Math.min(VERSIONS_MAX, count * VERSIONS_GROWTH)) {
      const versions = await newestVersions(this.#client, table, count);
      const oldestMs = versions.reduce((least, { atMs }) => Math.min(least, atMs), Number.MAX_SAFE_INTEGER);
      if (versions.length < count || oldestMs < fromMs) return { table, id, versions };
      if (count >= VERSIONS_MAX) throw tooMany(table);
    }
  }

  async #told(
    look: TableLook,
    version: TableVersion,
    horizonMs: number,
  ): Promise<{ readonly statement: ObservedStatement; readonly gaps: readonly HistoryGap[] }> {
    const store = await this.#log(look.table);
    return toldVersion(look, version, { store, horizonMs });
  }

  async #log(table: string): Promise<BlobStore | undefined> {
    const where = this.#settings.deltaLogs.get(table);
    const known = this.#logs.get(table);
    if (where === undefined || known !== undefined) return known;
    const opened = await this.#tools.openBlobs(where);
    this.#logs.set(table, opened);
    return opened;
  }

  async #lineage(
    { nowMs, beganMs, horizonMs }: HistoryRequest,
    seen: readonly { readonly table: string; readonly atMs: number }[],
  ): Promise<readonly HistoryGap[]> {
    const { guarded, lineageLagMs, readsLineage } = this.#settings;
    if (!readsLineage) return [];
    const fromMs = Math.max(beganMs, horizonMs - this.overlapMs - lineageLagMs);
    const events = await lineageEvents(this.#client, guarded, { fromMs, countMax: LINEAGE_COUNT_MAX });
    this.#hasLineage = events !== undefined;
    return unexplainedLineage(events ?? [], { versions: seen, fromMs, untilMs: nowMs - lineageLagMs });
  }
}

function tooMany(table: string): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_HISTORY_LARGE',
    `${table} has more than ${VERSIONS_MAX} versions in reach: shorten overlap_minutes, or have the recorder look more often`,
    { retry: 'never', context: { table, versions_max: VERSIONS_MAX } },
  );
}
