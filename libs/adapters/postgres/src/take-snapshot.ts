// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import {
  dsnDigest,
  type Snapshot,
  type SnapshotPart,
  type SnapshotPolicy,
  type SnapshotRelation,
  sampleDigest,
  schemaDigest,
} from '@clyra/core/snapshot/snapshot';
import { catalogueQuery } from './catalogue-query.ts';
import type { SqlClient, SqlSession } from './sql-client.ts';
import { quoteLiteral, quoteRelation } from './sql-identifier.ts';

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

/** First of all: the other session waits for it. */
const SHARE_SQL = `${SETTINGS_SQL}; select pg_catalog.pg_export_snapshot() as shared`;

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
 * Half of the work, done by a second session on the same snapshot: most of it is the server's, on another core. For
 * constraints and sizes a new session has to learn of every relation; for the rest the catalogue is enough.
 */
const BESIDE: readonly SnapshotPart[] = ['constraints', 'grants', 'sizes'];

/**
 * Metadata of a database in one consistent read by two sessions, so the client must allow two connections. Sizes,
 * estimates and printed definitions are the server's live ones even so (PostgreSQL reads them outside the
 * transaction's snapshot). Rejects as the client does.
 */
export async function takeSnapshot(client: SqlClient, request: SnapshotRequest): Promise<Snapshot> {
  const { policy, key } = request;
  const handover = new SnapshotHandover();
  const [{ anchor, relations }, beside] = await Promise.all([
    client.transaction((session) => readFirst(session, request, handover)).catch(handover.failed),
    client.transaction((session) => readBeside(session, policy, handover)).catch(handover.failed),
  ]);
  const whole = relations.map((relation) => ({ ...relation, ...beside.get(nameOf(relation)) }));
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
    relations: whole,
    schema_digest: schemaDigest(whole),
  };
}

/** One session gives its snapshot to the other, and must not end before it was taken. */
class SnapshotHandover {
  readonly #given = Promise.withResolvers<string>();
  readonly #taken = Promise.withResolvers<void>();
  readonly given = this.#given.promise;
  readonly taken = this.#taken.promise;

  constructor() {
    // Whoever does not come to wait for the other has failed itself.
    for (const promise of [this.given, this.taken]) promise.catch(() => {});
  }

  give(snapshot: string): void {
    this.#given.resolve(snapshot);
  }

  take(): void {
    this.#taken.resolve();
  }

  readonly failed = (error: unknown): never => {
    this.#given.reject(error);
    this.#taken.reject(error);
    throw error;
  };
}

type FirstRead = { readonly anchor: AnchorRow; readonly relations: readonly SnapshotRelation[] };

async function readFirst(
  session: SqlSession,
  { policy, key }: SnapshotRequest,
  handover: SnapshotHandover,
): Promise<FirstRead> {
  handover.give((await onlyRow<{ readonly shared: string }>(session, SHARE_SQL)).shared);
  const anchor = await onlyRow<AnchorRow>(session, ANCHOR_SQL);
  const parts = policy.parts.filter((part) => !BESIDE.includes(part));
  const { rows } = await session.query<CatalogueRow>(catalogueQuery(parts), scopeOf(policy));
  const relations: SnapshotRelation[] = [];
  for (const { key_columns: keyColumns = null, ...relation } of rows) {
    const sample = policy.parts.includes('checksums')
      ? { sample: await sampleOf(session, { relation, keyColumns, policy, key }) }
      : {};
    relations.push({ ...relation, ...sample });
  }
  await handover.taken;
  return { anchor, relations };
}

async function onlyRow<Row extends Readonly<Record<string, unknown>>>(session: SqlSession, text: string): Promise<Row> {
  const row = (await session.query<Row>(text)).rows[0];
  if (row !== undefined) return row;
  throw new ClyraError('CLY_SOURCE_IDENTITY_UNKNOWN', 'The server does not say where it is. Try again.', {
    retry: 'backoff',
  });
}

async function readBeside(
  session: SqlSession,
  policy: SnapshotPolicy,
  handover: SnapshotHandover,
): Promise<ReadonlyMap<string, Partial<SnapshotRelation>>> {
  await session.query(SETTINGS_SQL);
  await session.query(`set transaction snapshot ${quoteLiteral(await handover.given)}`);
  handover.take();
  const parts = policy.parts.filter((part) => BESIDE.includes(part));
  if (parts.length === 0) return new Map();
  const { rows } = await session.query<CatalogueRow>(catalogueQuery(parts), scopeOf(policy));
  return new Map(rows.map((row) => [nameOf(row), row]));
}

/** Neither part of a name holds a NUL. */
function nameOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}\0${name}`;
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
