// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { SourceProblem } from './source-problem.ts';
import type { SqlSession } from './sql-client.ts';

export type ServerFacts = {
  /** As the server prints it, such as `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly version: string;
  readonly versionMajor: number;
  readonly walLevel: string;
  readonly isStandby: boolean;
  readonly database: string;
  readonly role: string;
  /** The attribute; managed services grant the same by a role of their own, and a replication session then opens too. */
  readonly roleHasReplication: boolean;
  /** The event triggers of integrations/postgres are there and on: schema changes are in the stream. */
  readonly announcesDdl: boolean;
  /** Anybody may write logical messages: a link in the log could be written by a session that was allowed nothing. */
  readonly messagesAreOpen: boolean;
  /** 0 is without limit. */
  readonly walSenderTimeoutMs: number;
  /** -1 is without limit: a recorder that is away long enough fills the disk. */
  readonly maxSlotWalKeepSizeMb: number;
};

const SERVER_SQL = `select current_setting('server_version') as version,
    current_setting('server_version_num')::int as "versionNumber",
    current_setting('wal_level') as "walLevel", pg_catalog.pg_is_in_recovery() as "isStandby",
    current_database()::text as database, current_user::text as role,
    coalesce((select rolreplication or rolsuper from pg_catalog.pg_roles where rolname = current_user), false)
      as "roleHasReplication",
    (select count(*) = 2 from pg_catalog.pg_event_trigger
      where evtname in ('clyra_on_ddl', 'clyra_on_drop') and evtenabled in ('O', 'A')) as "announcesDdl",
    exists (select from pg_catalog.pg_proc p where p.proname = 'pg_logical_emit_message'
      and p.pronamespace = 'pg_catalog'::regnamespace and has_function_privilege('public', p.oid, 'execute'))
      as "messagesAreOpen",
    (select setting::int from pg_catalog.pg_settings where name = 'wal_sender_timeout') as "walSenderTimeoutMs",
    (select setting::int from pg_catalog.pg_settings where name = 'max_slot_wal_keep_size') as "maxSlotWalKeepSizeMb"`;

const VERSION_FACTOR = 10_000;
const MAJOR_OLDEST_BEST_EFFORT = 13;
const MAJOR_OLDEST = 15;
const MAJOR_NEWEST_TESTED = 16;

export async function readServer(session: SqlSession): Promise<ServerFacts> {
  const result = await session.query<Omit<ServerFacts, 'versionMajor'> & { versionNumber: number }>(SERVER_SQL);
  const row = result.rows[0];
  if (row === undefined) {
    throw new ClyraError('CLY_SOURCE_IDENTITY_UNKNOWN', 'The server does not describe itself. Try again.', {
      retry: 'backoff',
    });
  }
  const { versionNumber, ...facts } = row;
  return { ...facts, versionMajor: Math.trunc(versionNumber / VERSION_FACTOR) };
}

export function serverProblems(
  server: ServerFacts,
  options: { readonly allowBestEffort?: boolean },
): readonly SourceProblem[] {
  const problems: SourceProblem[] = [];
  const refuse = (code: SourceProblem['code'], message: string, repairSql: string | null = null): void => {
    problems.push({ code, severity: 'refuse', message, repairSql });
  };
  const { versionMajor } = server;
  if (versionMajor < MAJOR_OLDEST) {
    const isAllowed = versionMajor >= MAJOR_OLDEST_BEST_EFFORT && options.allowBestEffort === true;
    problems.push({
      code: 'CLY_SOURCE_VERSION_OLD',
      severity: isAllowed ? 'warn' : 'refuse',
      message: `PostgreSQL ${MAJOR_OLDEST} or ${MAJOR_NEWEST_TESTED} is needed; 13 and 14 work only when best effort is allowed (13 has no logical messages).`,
      repairSql: null,
    });
  } else if (versionMajor > MAJOR_NEWEST_TESTED) {
    problems.push({
      code: 'CLY_SOURCE_VERSION_UNTESTED',
      severity: 'warn',
      message: `The recorder is tested with PostgreSQL ${MAJOR_OLDEST} and ${MAJOR_NEWEST_TESTED}. From 18 on, a dropped publication silences the stream without an error: inspect the source again and again.`,
      repairSql: null,
    });
  }
  if (server.isStandby) {
    refuse('CLY_SOURCE_IS_STANDBY', 'Connect to the primary: a reader may show commits in another order.');
  }
  if (server.walLevel !== 'logical') {
    refuse(
      'CLY_SOURCE_WAL_LEVEL',
      'Set wal_level = logical and restart the server.',
      'ALTER SYSTEM SET wal_level = logical;',
    );
  }
  if (server.maxSlotWalKeepSizeMb < 0) {
    problems.push({
      code: 'CLY_SOURCE_WAL_UNBOUNDED',
      severity: 'warn',
      message: 'Set max_slot_wal_keep_size: without it the log kept for an absent recorder can fill the disk.',
      repairSql: null,
    });
  }
  return problems;
}
