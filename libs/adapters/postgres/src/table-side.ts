// SPDX-License-Identifier: Apache-2.0
import type { BucketSum, ColumnSum, RowDigest, TableSide } from '@clyra/core/diff/table-diff';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SqlSession } from './sql-client.ts';
import { quoteIdentifier, quoteRelation, type RelationName } from './sql-identifier.ts';

/**
 * `native`: PostgreSQL's own 64-bit record hash, the fastest; the same on both sides only with one major version.
 * `text`: the first 64 bits of MD5 over the value as text: whatever can write a value as text can compute it.
 * Neither is evidence: they find what differs, and anybody who can write rows could make two rows collide.
 */
export type HashKind = 'native' | 'text';

/** The same on both sides, or their digests mean nothing. */
export type SideColumns = {
  readonly hash: HashKind;
  readonly key: readonly string[];
  readonly columns: readonly { readonly name: string; readonly isHashable: boolean }[];
};

/** Every setting that changes how a value is written. */
export const DIFF_SETTINGS_SQL = `set transaction isolation level repeatable read, read only;
  set local search_path = pg_catalog; set local datestyle = 'ISO'; set local intervalstyle = 'postgres';
  set local timezone = 'UTC'; set local extra_float_digits = 3; set local bytea_output = 'hex'; set local jit = off`;

const BUCKET_SEED = 1;

export class PostgresTableSide implements TableSide {
  readonly #session: SqlSession;
  readonly #relation: string;
  readonly #columns: SideColumns;

  constructor(session: SqlSession, relation: RelationName, columns: SideColumns) {
    this.#session = session;
    this.#relation = quoteRelation(relation);
    this.#columns = columns;
  }

  async bucketSums(bucketCount: number): Promise<readonly BucketSum[]> {
    const row = this.#hash(this.#columns.columns);
    const { rows } = await this.#session.query<{ bucket: string; rows: string; sum: string }>(
      `select ${this.#bucket(bucketCount)}::text as bucket, count(*)::text as rows, sum(${row})::text as sum
       from ${this.#relation} t group by 1`,
    );
    return rows.map(({ bucket, rows: count, sum }) => ({ bucket: Number(bucket), rows: Number(count), sum }));
  }

  async columnSums(): Promise<readonly ColumnSum[]> {
    const { columns } = this.#columns;
    const sums = columns.map((column) => `coalesce(sum(${this.#hash([column])}), 0)::text`);
    const { rows } = await this.#session.query<{ sums: string[] }>(
      `select array[${sums.join(', ')}]::text[] as sums from ${this.#relation} t`,
    );
    return columns.map(({ name }, index) => ({ name, sum: rows[0]?.sums[index] ?? '0' }));
  }

  async rowsOf(
    buckets: readonly number[],
    { bucketCount, rowsMax }: { readonly bucketCount: number; readonly rowsMax: number },
  ): Promise<readonly RowDigest[]> {
    const { key, columns } = this.#columns;
    const digests = key.length === 0 ? [] : columns.map((column) => `${this.#hash([column])}::text`);
    const { rows } = await this.#session.query<RowDigest>(
      `select ${this.#keyText()} as key, array[${digests.join(', ')}]::text[] as columns
       from ${this.#relation} t where ${this.#bucket(bucketCount)} = any($1::bigint[]) limit ${rowsMax * 2 + 1}`,
      [buckets.map(String)],
    );
    if (rows.length > rowsMax * 2) {
      throw new ClyraError('CLY_DIFF_BUCKET', 'Too many rows differ to be fetched at once: raise --rows-max.', {
        retry: 'never',
        context: { rowsMax },
      });
    }
    return rows;
  }

  #bucket(bucketCount: number): string {
    const { key, columns } = this.#columns;
    const of = key.length === 0 ? columns : columns.filter(({ name }) => key.includes(name));
    return `(${this.#hash(of, BUCKET_SEED)} & ${bucketCount - 1})`;
  }

  /** Of a table without a key the whole row is the key, as a digest: it is long, and no part of it is shown. */
  #keyText(): string {
    const { key, columns } = this.#columns;
    if (key.length === 0) return `md5(row(${columns.map(({ name }) => reference(name)).join(', ')})::text)`;
    return key.length === 1 ? `${reference(key[0] ?? '')}::text` : `row(${key.map(reference).join(', ')})::text`;
  }

  #hash(columns: SideColumns['columns'], seed = 0): string {
    if (this.#columns.hash === 'native') {
      const values = columns.map(({ name, isHashable }) => (isHashable ? reference(name) : `${reference(name)}::text`));
      return `hash_record_extended(row(${values.join(', ')}), ${seed})`;
    }
    const values = columns.map(({ name }) => `${reference(name)}::text`);
    return `('x' || substr(md5(${seed === 0 ? '' : `'${seed}' || `}row(${values.join(', ')})::text), 1, 16))::bit(64)::bigint`;
  }
}

function reference(name: string): string {
  return `t.${quoteIdentifier(name)}`;
}
