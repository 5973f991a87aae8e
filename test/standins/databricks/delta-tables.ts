// SPDX-License-Identifier: Apache-2.0
import type { Answer, Cell, Column, Refusal, Table } from './thrift-door.ts';

/** A row of DESCRIBE HISTORY as the warehouse shows it. */
export type HistoryRow = {
  readonly version: number;
  readonly atMs: number;
  readonly operation: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly metrics?: Readonly<Record<string, string>>;
  readonly userMetadata?: string;
  readonly userName?: string;
  /** Shown from here on, by the stand-in's clock. */
  readonly visibleAtMs: number;
};

type DeltaTable = { id: string; rows: HistoryRow[] };

export type LineageRow = { readonly target: string; readonly atMs: number; readonly source: string };

/** Columns and types as Spark's server names them (test/standins/spark/recorded). */
const HISTORY_COLUMNS = columnsOf(
  ...['version BIGINT', 'timestamp TIMESTAMP', 'userId STRING', 'userName STRING', 'operation STRING'],
  ...['operationParameters MAP', 'job STRUCT', 'notebook STRUCT', 'clusterId STRING', 'readVersion BIGINT'],
  ...['isolationLevel STRING', 'isBlindAppend BOOLEAN', 'operationMetrics MAP', 'userMetadata STRING'],
  'engineInfo STRING',
);
const DETAIL_COLUMNS = columnsOf(
  ...['format STRING', 'id STRING', 'name STRING', 'description STRING', 'location STRING', 'createdAt TIMESTAMP'],
  ...['lastModified TIMESTAMP', 'partitionColumns ARRAY', 'clusteringColumns ARRAY', 'numFiles BIGINT'],
  ...['sizeInBytes BIGINT', 'properties MAP', 'minReaderVersion INT', 'minWriterVersion INT', 'tableFeatures ARRAY'],
);

/** The tables of a stand-in workspace, their histories as far as they are shown, and its clock. */
export class DeltaTables {
  nowMs = 0;
  metastore: string | null = 'aws:eu-central-1:11111111-2222-3333-4444-555555555555';
  /** undefined: there is no system.access schema. */
  lineage: LineageRow[] | undefined;
  readonly #tables = new Map<string, DeltaTable>();

  /** Makes the table, anew where it exists: another id, an empty history. */
  create(name: string, id: string): void {
    this.#tables.set(name, { id, rows: [] });
  }

  /** As CREATE OR REPLACE leaves it: another id, and its history goes on. */
  replace(name: string, id: string): void {
    const table = this.#tables.get(name);
    if (table !== undefined) table.id = id;
  }

  drop(name: string): void {
    this.#tables.delete(name);
  }

  /** In the order of delivery, which need not be that of the versions. */
  show(name: string, rows: readonly HistoryRow[]): void {
    this.#tables.get(name)?.rows.push(...rows);
  }

  forget(name: string, beforeVersion: number): void {
    const table = this.#tables.get(name);
    if (table !== undefined) table.rows = table.rows.filter(({ version }) => version >= beforeVersion);
  }

  /** As a restore from a copy leaves it: what is after this version is gone. */
  setBack(name: string, version: number): void {
    const table = this.#tables.get(name);
    if (table !== undefined) table.rows = table.rows.filter((row) => row.version <= version);
  }

  readonly answer: Answer = (sql) => {
    if (/^SET TIME ZONE/.test(sql)) return { columns: columnsOf('key STRING', 'value STRING'), rows: [] };
    if (/unix_millis\(current_timestamp\(\)\) AS now_ms/.test(sql))
      return { columns: columnsOf('now_ms BIGINT'), rows: [[this.nowMs]] };
    if (/current_metastore\(\)/.test(sql)) return this.#metastore();
    if (/FROM system\.access\.table_lineage/.test(sql)) return this.#lineage(sql);
    const described = /^DESCRIBE (HISTORY|DETAIL) ((?:`[^`]+`\.?)+)(?: LIMIT (\d+))?$/.exec(sql);
    if (described === null) return { sqlState: '42601', message: `the stand-in does not know this statement: ${sql}` };
    const name = (described[2] ?? '').replaceAll('`', '');
    const table = this.#tables.get(name);
    if (table === undefined) return { sqlState: '42P01', message: 'TABLE_OR_VIEW_NOT_FOUND' };
    return described[1] === 'DETAIL'
      ? { columns: DETAIL_COLUMNS, rows: [detailOf(name, table.id)] }
      : this.#history(table, Number(described[3]));
  };

  #metastore(): Table | Refusal {
    if (this.metastore === null) return { sqlState: '42883', message: 'UNRESOLVED_ROUTINE' };
    return { columns: columnsOf('metastore STRING'), rows: [[this.metastore]] };
  }

  #history({ rows }: DeltaTable, countMax: number): Table {
    const shown = rows.filter(({ visibleAtMs }) => visibleAtMs <= this.nowMs);
    const newestFirst = shown.sort((left, right) => right.version - left.version).slice(0, countMax);
    return { columns: HISTORY_COLUMNS, rows: newestFirst.map(cellsOf) };
  }

  #lineage(sql: string): Table | Refusal {
    if (this.lineage === undefined) return { sqlState: '42P01', message: 'TABLE_OR_VIEW_NOT_FOUND' };
    const fromMs = Number(/timestamp_millis\((\d+)\)/.exec(sql)?.[1]);
    const countMax = Number(/LIMIT (\d+)/.exec(sql)?.[1]);
    const rows = this.lineage
      .filter(({ atMs, target }) => atMs >= fromMs && sql.includes(`'${target}'`))
      .sort((left, right) => left.atMs - right.atMs)
      .slice(0, countMax);
    return {
      columns: columnsOf('target STRING', 'at_ms BIGINT', 'sources STRING'),
      rows: rows.map(({ target, atMs, source }) => [target, atMs, source]),
    };
  }
}

function columnsOf(...texts: readonly string[]): readonly Column[] {
  return texts.map((text) => {
    const [name = '', type = ''] = text.split(' ');
    return { name, type };
  });
}

/** Values stand between quotation marks as they are: with one inside, no JSON reader can read the map, and the driver gives an empty one. */
function mapText(map: Readonly<Record<string, string>> = {}): string {
  return `{${Object.entries(map)
    .map(([name, value]) => `"${name}":"${value}"`)
    .join(',')}}`;
}

/** In the session's zone, which is UTC, and without the zeros at the end. */
function timeText(atMs: number): string {
  return new Date(atMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.?0*Z$/, '');
}

function cellsOf(row: HistoryRow): readonly Cell[] {
  const { version, operation, parameters, metrics, userMetadata, userName } = row;
  return [
    ...[version, timeText(row.atMs), null, userName ?? null, operation, mapText(parameters), null, null],
    ...[null, version === 0 ? null : version - 1, 'WriteSerializable', false],
    ...[mapText(metrics), userMetadata ?? null, 'Databricks-Runtime/stand-in'],
  ];
}

function detailOf(name: string, id: string): readonly Cell[] {
  const at = timeText(0);
  return [
    ...['delta', id, name, null, 's3://stand-in/table', at, at, '[]', '[]'],
    ...[0, 0, '{}', 1, 2, '["appendOnly","invariants"]'],
  ];
}
