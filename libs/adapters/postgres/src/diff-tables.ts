// SPDX-License-Identifier: Apache-2.0
import { diffTable, type TableDiff } from '@clyra/core/diff/table-diff';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SqlClient } from './sql-client.ts';
import type { RelationName } from './sql-identifier.ts';
import { readTableShape, type TableShape } from './table-shape.ts';
import { DIFF_SETTINGS_SQL, type HashKind, PostgresTableSide, type SideColumns } from './table-side.ts';

export type DiffRequest = {
  /** The same client twice where both tables are in one database. */
  readonly clients: readonly [SqlClient, SqlClient];
  readonly relations: readonly [RelationName, RelationName];
  readonly name: string;
  readonly keysMax: number;
  readonly rowsMax: number;
  readonly withColumnSums: boolean;
  /** Compare values as text, whatever the servers are. */
  readonly asText: boolean;
  readonly showKey: (key: string) => string;
};

/** A comparison, and what of the two tables was not part of it. */
export type ComparedTables = TableDiff & {
  readonly hash: HashKind;
  readonly key: readonly string[];
  /** Columns that only one of both has. */
  readonly uncompared: readonly { readonly name: string; readonly side: 'before' | 'after' }[];
  /** Columns whose types differ: their values are compared as text. */
  readonly retyped: readonly { readonly name: string; readonly before: string; readonly after: string }[];
};

const ROWS_PER_BUCKET = 1_024;
const BUCKETS_MIN = 64;
const MAJOR_WITH_RECORD_HASH = 14;
const BUCKETS_MAX = 65_536;

/**
 * Compares two tables of one or two databases, each in one read-only transaction with a snapshot of its own: a
 * difference is what those two moments have. Rejects with CLY_DIFF_RELATION or CLY_DIFF_COLUMNS.
 */
export function diffTables(request: DiffRequest): Promise<ComparedTables> {
  const { clients, relations, name } = request;
  return clients[0].transaction(async (left) =>
    clients[1].transaction(async (right) => {
      const sessions = [left, right] as const;
      await Promise.all(sessions.map((session) => session.query(DIFF_SETTINGS_SQL)));
      const [before, after] = await Promise.all([
        readTableShape(left, relations[0]),
        readTableShape(right, relations[1]),
      ]);
      const columns = comparedColumns(request, before, after);
      const diff = await diffTable(
        name,
        [new PostgresTableSide(left, relations[0], columns), new PostgresTableSide(right, relations[1], columns)],
        {
          columns: columns.columns.map((column) => column.name),
          hasKey: columns.key.length > 0,
          bucketCount: bucketCountFor(Math.max(before.estimatedRows, after.estimatedRows)),
          rowsMax: request.rowsMax,
          keysMax: request.keysMax,
          withColumnSums: request.withColumnSums,
          showKey: request.showKey,
        },
      );
      return { ...diff, hash: columns.hash, key: columns.key, ...leftOut(before, after) };
    }),
  );
}

function comparedColumns({ asText }: DiffRequest, before: TableShape, after: TableShape): SideColumns {
  const right = new Map(after.columns.map((column) => [column.name, column]));
  const columns = before.columns.flatMap(({ name, type, isHashable }) => {
    const other = right.get(name);
    return other === undefined ? [] : [{ name, isHashable: isHashable && other.isHashable && type === other.type }];
  });
  if (columns.length === 0) {
    throw new ClyraError('CLY_DIFF_COLUMNS', 'The two tables have no column in common: name the right ones.', {
      retry: 'never',
    });
  }
  const isSameKey = before.key.length > 0 && before.key.join('\0') === after.key.join('\0');
  // PostgreSQL promises equal hashes only within a major version, and hashes records from 14 on.
  const isNative = before.serverMajor === after.serverMajor && before.serverMajor >= MAJOR_WITH_RECORD_HASH;
  const hash = !asText && isNative ? 'native' : 'text';
  return { hash, key: isSameKey ? before.key : [], columns };
}

function leftOut(before: TableShape, after: TableShape): Pick<ComparedTables, 'uncompared' | 'retyped'> {
  const left = new Map(before.columns.map((column) => [column.name, column]));
  const right = new Map(after.columns.map((column) => [column.name, column]));
  return {
    uncompared: [
      ...before.columns.filter(({ name }) => !right.has(name)).map(({ name }) => ({ name, side: 'before' as const })),
      ...after.columns.filter(({ name }) => !left.has(name)).map(({ name }) => ({ name, side: 'after' as const })),
    ],
    retyped: before.columns.flatMap(({ name, type }) => {
      const other = right.get(name)?.type;
      return other === undefined || other === type ? [] : [{ name, before: type, after: other }];
    }),
  };
}

/** A power of two, so that a bucket is some bits of a hash. */
function bucketCountFor(rows: number): number {
  const wanted = Math.min(BUCKETS_MAX, Math.max(BUCKETS_MIN, rows / ROWS_PER_BUCKET));
  return 2 ** Math.ceil(Math.log2(wanted));
}
