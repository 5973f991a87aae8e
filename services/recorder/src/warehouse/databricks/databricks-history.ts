// SPDX-License-Identifier: Apache-2.0
import { type DatabricksClient, openDatabricksClient } from '@clyra/adapter-databricks/databricks-client';
import type { DatabricksConnection, DatabricksTimeouts } from '@clyra/adapter-databricks/databricks-settings';
import {
  lineageEvents,
  metastoreFacts,
  type TableVersion,
  tableId,
  versionsSince,
} from '@clyra/adapter-databricks/table-history';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Coverage } from '../../observation/coverage-body.ts';
import type { HistoryPass, HistoryRequest, HistorySource, WarehouseFacts } from '../history-source.ts';
import { lateGap } from '../late-gap.ts';
import { type HistoryGap, type ObservedStatement, SET_BACK } from '../observed-statement.ts';
import { NEAR_MS, unexplainedLineage } from './lineage-check.ts';
import { isSetBack } from './set-back.ts';
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
  /** Versions of one look, 32,000 without it: tests have fewer. */
  readonly windowMax?: number;
  /** Writes of one answer of the lineage, 50,000 without it: tests have fewer. */
  readonly lineageMax?: number;
};

export type DatabricksTools = { readonly openBlobs: (where: string) => Promise<BlobStore> };

/** Versions of one look, of all tables together: a source that is further behind comes nearer with each. */
const WINDOW_MAX = 32_000;
/** Of one table at least. */
const WINDOW_MIN = 50;
/** Writes of one answer of the lineage. */
const LINEAGE_PAGE = 50_000;
/** Of one table: its times are in microseconds, and each is told once. */
const LINEAGE_EACH_MS = 1_000;
const MARGIN_MS = 600_000;

type PartLook = TableLook & { readonly isCut: boolean; readonly isResumed: boolean };

/** What a look held of one table: its versions from `sinceMs` up to `untilMs`, which is Infinity where it held all. */
type TablePart = {
  readonly look: PartLook;
  readonly settled: SettledVersions;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly resume: number | undefined;
  /** Its log holds other commits than those that were told. */
  readonly isSetBack: boolean;
};

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
    const { nowMs, horizonMs } = request;
    const { guarded, lagMs } = this.#settings;
    const parts: TablePart[] = [];
    for (const table of guarded) parts.push(await this.#table(table, request));
    const gaps = parts.flatMap(({ settled }) => settled.gaps);
    const cutMs = parts.reduce((until, { untilMs }) => Math.min(until, untilMs), Number.POSITIVE_INFINITY);
    const settledMs = parts.reduce((until, { settled }) => Math.min(until, settled.coversUntilMs), nowMs - lagMs);
    const statements: ObservedStatement[] = [];
    const setBack = parts.find(({ isSetBack: is }) => is);
    for (const { look, settled, isSetBack: isOther } of parts) {
      // Its numbers stand for other commits already.
      if (isOther) continue;
      for (const version of settled.fresh) {
        // No table runs ahead of one that is read in parts: a start reads the log back as far as the horizon says.
        if (version.atMs >= cutMs) continue;
        const told = await this.#told(look, version, horizonMs);
        statements.push(told.statement);
        gaps.push(...told.gaps);
      }
    }
    statements.sort((left, right) => left.committedAtMs - right.committedAtMs);
    gaps.push(...lateGap(statements, horizonMs), ...(await this.#lineage(request, parts)));
    const coversUntilMs = setBack === undefined ? Math.max(Math.min(settledMs, cutMs), horizonMs) : horizonMs;
    return {
      statements,
      gaps,
      coversUntilMs,
      heldCount: parts.filter(({ settled }) => settled.coversUntilMs < nowMs - lagMs).length,
      resume: new Map(parts.flatMap(({ look, resume }) => (resume === undefined ? [] : [[look.table, resume]]))),
      isBehind: cutMs <= horizonMs || (cutMs < Number.POSITIVE_INFINITY && coversUntilMs > horizonMs),
      ...(setBack === undefined ? {} : { trouble: otherLog(setBack.look.table) }),
    };
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /** A hole may be an answer that was cut short: it is asked for once more before it counts. */
  async #table(table: string, request: HistoryRequest): Promise<TablePart> {
    const { lagMs } = this.#settings;
    const reachMs = Math.max(request.beganMs, request.horizonMs - this.overlapMs);
    const context: LookContext = { ...request, lagMs, reachMs, wasCovered: request.covered.has(table) };
    const look = await this.#settled(table, request, context);
    if (!look.settled.hasHole && look.settled.gaps.length === 0 && !look.isSetBack) return look;
    return this.#settled(table, request, context);
  }

  async #settled(table: string, request: HistoryRequest, context: LookContext): Promise<TablePart> {
    const look = await this.#look(table, request);
    const settled = settleVersions(look, context);
    const part = partOf(look, settled, request);
    if (request.wasSetBack(table)) return { ...part, isSetBack: true };
    const told = request.newestTold(table);
    if (told === undefined || !(await isSetBack(look, told, await this.#log(table)))) return part;
    const gap = { from: `${table}@${told.version}`, to: `${table}@${look.newest?.version}`, reason: SET_BACK };
    // Where the log ends before what was told, the gap says so already, and a later answer may show the rest.
    const isWritten = (look.newest?.version ?? 0) >= told.version;
    const gaps = isWritten ? [...settled.gaps, gap] : settled.gaps;
    return { ...part, settled: { ...settled, gaps }, isSetBack: true };
  }

  async #look(table: string, { beganMs, horizonMs, resume }: HistoryRequest): Promise<PartLook> {
    const { readsLineage, lineageLagMs, guarded, windowMax } = this.#settings;
    const reachMs = this.overlapMs + (readsLineage ? lineageLagMs + MARGIN_MS : 0);
    const fromMs = Math.max(beganMs, horizonMs - reachMs) - MARGIN_MS;
    const countMax = Math.max(WINDOW_MIN, Math.floor((windowMax ?? WINDOW_MAX) / guarded.length));
    const id = await tableId(this.#client, table);
    const range = { fromMs, fromVersion: resume.get(table) ?? 0, countMax };
    const window = await versionsSince(this.#client, table, range);
    const isResumed = range.fromVersion > 0;
    if (!isResumed || (window.newest?.version ?? 0) >= range.fromVersion) return { table, id, isResumed, ...window };
    // The history does not reach to where the look before ended: it is another one by now.
    const whole = await versionsSince(this.#client, table, { ...range, fromVersion: 0 });
    return { table, id, isResumed: false, ...whole };
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
    parts: readonly TablePart[],
  ): Promise<readonly HistoryGap[]> {
    const { guarded, lineageLagMs, readsLineage, lineageMax } = this.#settings;
    if (!readsLineage) return [];
    const versions = parts.flatMap(({ look: { table, versions: shown } }) =>
      shown.map(({ atMs }) => ({ table, atMs })),
    );
    // What is beside the windows is held against the lineage when its turn comes.
    const fromMs = parts.reduce(
      (from, { sinceMs }) => Math.max(from, sinceMs),
      Math.max(beganMs, horizonMs - this.overlapMs - lineageLagMs),
    );
    const untilMs = parts.reduce((until, part) => Math.min(until, part.untilMs - NEAR_MS), nowMs - lineageLagMs);
    const countMax = lineageMax ?? Math.max(LINEAGE_PAGE, guarded.length * LINEAGE_EACH_MS + 1);
    const gaps = await unexplainedLineage(
      (pageMs, count) => lineageEvents(this.#client, guarded, { fromMs: pageMs, countMax: count }),
      { versions, fromMs, untilMs, countMax },
    );
    this.#hasLineage = gaps !== undefined;
    return gaps ?? [];
  }
}

function partOf(look: PartLook, settled: SettledVersions, { horizonMs }: HistoryRequest): TablePart {
  const [youngest] = look.versions;
  const oldest = look.versions.at(-1);
  const cut = look.isCut ? youngest : undefined;
  return {
    look,
    settled,
    isSetBack: false,
    sinceMs: look.isResumed && oldest !== undefined ? oldest.atMs : 0,
    untilMs: cut?.atMs ?? Number.POSITIVE_INFINITY,
    // One that ends behind the horizon moves it there.
    resume: cut !== undefined && cut.atMs <= horizonMs ? cut.version : undefined,
  };
}

function otherLog(table: string): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_LOG_SET_BACK',
    `The log of ${table} no longer holds what was observed of it, as after a restore from a copy. Register the warehouse under a new source id.`,
    { retry: 'never', context: { table } },
  );
}
