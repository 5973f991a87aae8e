// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import {
  dsnDigest,
  type Snapshot,
  type SnapshotPolicy,
  type SnapshotRelation,
  sampleDigest,
  schemaDigest,
} from '@clyra/core/snapshot/snapshot';
import { catalogueQuery } from './catalogue-query.ts';
import type { SqlClient, SqlSession } from './sql-client.ts';
import { quoteRelation } from './sql-identifier.ts';

export type SnapshotRequest = {
  readonly tenant: string;
  readonly sourceId: string | null;
  /** The address without its password: only its HMAC is kept. */
  readonly dsn: string;
  /** The tenant's key. */
  readonly key: Uint8Array;
  readonly policy: SnapshotPolicy;
};

type CatalogueRow = Omit<SnapshotRelation, 'sample'> & { readonly key_columns?: readonly string[] | null };
type AnchorRow = {
  readonly systemId: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly snapshot: string;
  readonly version: string;
  readonly atMs: string;
};

/** Every setting that changes how a value or an expression is written. */
const SETTINGS_SQL = `set transaction isolation level repeatable read, read only;
  set local search_path = pg_catalog; set local datestyle = 'ISO'; set local intervalstyle = 'postgres';
  set local timezone = 'UTC'; set local extra_float_digits = 3; set local bytea_output = 'hex';
  set local quote_all_identifiers = off; set local jit = off`;

const ANCHOR_SQL = `select pg_catalog.pg_current_snapshot()::text as snapshot,
    case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
      else pg_catalog.pg_current_wal_insert_lsn() end::text as lsn,
    case when pg_catalog.pg_is_in_recovery() then (select timeline_id from pg_catalog.pg_control_checkpoint())
      else ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
      end as timeline,
    (select system_identifier::text from pg_catalog.pg_control_system()) as "systemId",
    current_setting('server_version') as version,
    pg_catalog.floor(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::bigint::text as "atMs"`;

/**
 * Metadata of a database in one consistent read. Sizes, estimates and printed definitions are the server's live ones
 * even so (PostgreSQL reads them outside the transaction's snapshot). Rejects as the client does.
 */
export function takeSnapshot(client: SqlClient, request: SnapshotRequest): Promise<Snapshot> {
  const { policy, key } = request;
  return client.transaction(async (session) => {
    await session.query(SETTINGS_SQL);
    const anchor = (await session.query<AnchorRow>(ANCHOR_SQL)).rows[0];
    if (anchor === undefined) {
      throw new ClyraError('CLY_SOURCE_IDENTITY_UNKNOWN', 'The server does not say where it is. Try again.', {
        retry: 'backoff',
      });
    }
    const { rows } = await session.query<CatalogueRow>(catalogueQuery(policy.parts), scopeOf(policy));
    const relations: SnapshotRelation[] = [];
    for (const { key_columns: keyColumns = null, ...relation } of rows) {
      const sample = policy.parts.includes('checksums')
        ? { sample: await sampleOf(session, { relation, keyColumns, policy, key }) }
        : {};
      relations.push({ ...relation, ...sample });
    }
    return {
      format: 'clyra/snapshot/v0',
      tenant: request.tenant,
      source_id: request.sourceId,
      dsn_digest: dsnDigest(request.dsn, key),
      server_version: anchor.version,
      taken_at: Number(anchor.atMs),
      anchor: {
        system_id: anchor.systemId,
        timeline: anchor.timeline,
        lsn: anchor.lsn,
        snapshot: anchor.snapshot,
      },
      policy,
      relations,
      schema_digest: schemaDigest(relations),
    };
  });
}

function scopeOf({ relations }: SnapshotPolicy): readonly (readonly string[] | null)[] {
  if (relations.length === 0) return [null, null];
  const schemas = relations.filter((name) => name.endsWith('.*')).map((name) => name.slice(0, -2));
  return [schemas, relations.filter((name) => !name.endsWith('.*'))];
}

/** The first rows in key order: the same rows wherever the same data is, and an index finds them. */
async function sampleOf(
  session: SqlSession,
  of: {
    readonly relation: Omit<SnapshotRelation, 'sample'>;
    readonly keyColumns: readonly string[] | null;
    readonly policy: SnapshotPolicy;
    readonly key: Uint8Array;
  },
): Promise<NonNullable<SnapshotRelation['sample']> | null> {
  const { relation, keyColumns, policy, key } = of;
  if (keyColumns === null || (relation.kind !== 'table' && relation.kind !== 'partitioned')) return null;
  const order = keyColumns.join(', ');
  const { rows } = await session.query<{ count: string; digest: string }>(
    `select count(*)::text as count, encode(sha256(convert_to(coalesce(string_agg(t.line, E'\\n' order by t.place), ''), 'UTF8')), 'hex') as digest
     from (select r::text as line, row_number() over (order by ${order}) as place
       from (select * from ${quoteRelation(relation)} order by ${order} limit $1) r) t`,
    [policy.sample_rows],
  );
  const row = rows[0];
  return row === undefined ? null : { rows: Number(row.count), digest: sampleDigest(row.digest, key) };
}
