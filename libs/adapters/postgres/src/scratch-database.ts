// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { PostgresConnection } from './connection-settings.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { quoteIdentifier, quoteLiteral } from './sql-identifier.ts';

export type ScratchRequest = {
  /** A superuser of a server that may run what a stranger wrote: best one of its own. */
  readonly admin: PostgresConnection;
  /** Lower-case letters and digits: names database and role. */
  readonly id: string;
  readonly password: string;
  /** Made empty, and owned by the scratch role. */
  readonly schemas: readonly string[];
  readonly sizeBytesMax: number;
  readonly statementTimeoutMs: number;
  readonly deadlineMs: number;
};

export type ScratchDatabase = {
  /** The scratch role in the scratch database: all that whoever runs there gets. */
  readonly connection: PostgresConnection;
  /** Rejects with CLY_REPLAY_SCRATCH_LIMIT once the database or the replay went over a limit. */
  check(): void;
  /** Ends every session, and removes database and role. */
  close(): Promise<void>;
};

const ID = /^[a-z0-9]{1,40}$/;
const CONNECTIONS_MAX = 8;
const WATCH_MS = 250;

/**
 * A database and a role that exist for one replay. What isolates them is PostgreSQL, not the caller: a session cannot
 * leave its database; the role is a member of nothing, owns nothing elsewhere and can install no extension, so that no
 * dblink, foreign server, program, server file or language reaches out. No administrator's session ever reads what the
 * role made: a view or a cast in it would run with the reader's rights.
 */
export async function makeScratchDatabase(request: ScratchRequest): Promise<ScratchDatabase> {
  if (!ID.test(request.id)) throw new Error('the id of a scratch database is of letters and digits');
  const name = `clyra_replay_${request.id}`;
  const { admin, password, statementTimeoutMs } = request;
  const maintenance = openSqlClient({ connection: admin, connectionsMax: 2 });
  const remove = async (): Promise<void> => {
    await maintenance.query(`drop database if exists ${name} with (force)`);
    await maintenance.query(`drop role if exists ${name}`);
    await maintenance.close();
  };
  try {
    await maintenance.query(roleSql(name, password));
    await maintenance.query(`create database ${name} template template0 encoding 'UTF8'`);
    await maintenance.query(`revoke all on database ${name} from public`);
    await maintenance.query(`grant connect, temporary on database ${name} to ${name}`);
    await furnish({ ...admin, database: name }, name, request.schemas);
    const connection = { ...admin, database: name, user: name, password, applicationName: 'clyra-replay' };
    const role = openSqlClient({ connection, connectionsMax: 1, timeouts: { statementTimeoutMs } });
    await requireIsolated(role).finally(() => role.close());
    const watch = watchOver(maintenance, name, request);
    return {
      connection,
      check: watch.check,
      close: async () => {
        watch.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function roleSql(name: string, password: string): string {
  const rights = 'nosuperuser nocreatedb nocreaterole noinherit noreplication nobypassrls';
  return `create role ${name} login ${rights} connection limit ${CONNECTIONS_MAX} password ${quoteLiteral(password)}`;
}

/** The clocks of a statement come from a setting: they stand before PostgreSQL’s own in the search path of a replay. */
const CLOCKS = ['now', 'transaction_timestamp', 'statement_timestamp', 'clock_timestamp'];
/** Bear the names of keywords that no search path leads to them: for SQL in which the keywords are calls. */
const KEYWORD_CLOCKS = {
  current_date: 'date',
  current_time: 'timetz',
  current_timestamp: 'timestamptz',
  localtime: 'time',
  localtimestamp: 'timestamp',
};
export const PINNED_SCHEMA = 'clyra_pinned';
export const CLOCK_SETTING = 'clyra.clock';

async function furnish(admin: PostgresConnection, role: string, schemas: readonly string[]): Promise<void> {
  const client = openSqlClient({ connection: admin, connectionsMax: 1 });
  try {
    await client.query(`create schema ${PINNED_SCHEMA}; grant usage on schema ${PINNED_SCHEMA} to ${role}`);
    for (const clock of CLOCKS) {
      await client.query(
        `create function ${PINNED_SCHEMA}.${clock}() returns timestamptz language sql stable
         as $$ select coalesce(nullif(pg_catalog.current_setting('${CLOCK_SETTING}', true), '')::timestamptz, pg_catalog.${clock}()) $$`,
      );
    }
    for (const [clock, type] of Object.entries(KEYWORD_CLOCKS)) {
      await client.query(
        `create function ${PINNED_SCHEMA}."${clock}"() returns ${type} language sql stable
         as $$ select ${PINNED_SCHEMA}.now()::${type} $$`,
      );
    }
    await client.query('drop schema if exists public');
    for (const schema of schemas) {
      await client.query(`create schema ${quoteIdentifier(schema)} authorization ${role}`);
    }
  } finally {
    await client.close();
  }
}

/** Each of these is a way out, and none may stand open. */
const WAYS_OUT_SQL = `select array_remove(array[
    case when (select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls
      from pg_roles where rolname = current_user) then 'role attributes' end,
    case when exists (select from pg_auth_members m join pg_roles r on r.oid = m.member
      where r.rolname = current_user) then 'membership in another role' end,
    case when exists (select from pg_extension where extname <> 'plpgsql') then 'extensions' end,
    case when exists (select from pg_foreign_server) then 'foreign servers' end,
    case when exists (select from pg_language where lanname not in ('internal', 'c', 'sql', 'plpgsql'))
      then 'languages' end,
    case when has_database_privilege(current_database(), 'create') then 'creation of schemas and extensions' end,
    case when exists (select from pg_proc where prosecdef and pronamespace <> 'pg_catalog'::regnamespace)
      then 'functions with another owner’s rights' end,
    case when exists (select from pg_proc where pronamespace = 'pg_catalog'::regnamespace
      and proname in ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'lo_import', 'lo_export', 'pg_stat_file')
      and has_function_privilege(oid, 'execute')) then 'files of the server' end,
    case when exists (select from unnest(array['pg_catalog', 'information_schema', '${PINNED_SCHEMA}']) n
      where has_schema_privilege(n, 'create')) then 'schemas of others' end
  ], null) as open`;

async function requireIsolated(role: SqlClient): Promise<void> {
  const { rows } = await role.query<{ open: string[] }>(WAYS_OUT_SQL);
  const open = rows[0]?.open ?? ['unknown'];
  if (open.length === 0) return;
  throw new ClyraError(
    'CLY_REPLAY_NOT_ISOLATED',
    `the scratch role could get out of its database by: ${open.join(', ')}. Replay on a server whose template0 and public privileges are PostgreSQL’s own`,
    { retry: 'never' },
  );
}

function watchOver(
  maintenance: SqlClient,
  name: string,
  { sizeBytesMax, deadlineMs }: ScratchRequest,
): { check(): void; stop(): void } {
  let over: string | undefined;
  const startedMs = performance.now();
  const end = async (why: string): Promise<void> => {
    over = why;
    await maintenance.query('select pg_catalog.pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      name,
    ]);
  };
  const look = async (): Promise<void> => {
    if (performance.now() - startedMs > deadlineMs) return end(`${deadlineMs} ms`);
    const { rows } = await maintenance.query<{ size: string }>('select pg_catalog.pg_database_size($1)::text as size', [
      name,
    ]);
    if (Number(rows[0]?.size) > sizeBytesMax) await end(`${sizeBytesMax} bytes`);
  };
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    // A server that does not answer is noticed by the replay itself.
    void look()
      .catch(() => undefined)
      .finally(() => {
        isLooking = false;
      });
  }, WATCH_MS);
  timer.unref();
  return {
    stop: () => clearInterval(timer),
    check: () => {
      if (over === undefined) return;
      throw new ClyraError(
        'CLY_REPLAY_SCRATCH_LIMIT',
        `the replay went beyond ${over} and was stopped: raise the limit, or look at what it does`,
        {
          retry: 'never',
        },
      );
    },
  };
}
