// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Grant, mintGrant } from '@clyra/core/grant/grant';
import type { ClyraError } from '@clyra/core/kernel/error';
import { type GuardStatus, installGuard } from '../guard.ts';
import { openSqlClient, type SqlClient } from '../sql-client.ts';
import type { ScratchPostgres } from './scratch-postgres.ts';

const SQL = new URL('../../../../../integrations/postgres/sql/', import.meta.url);
export const INSTALL_SQL = ['install.sql', 'helpers.sql']
  .map((name) => readFileSync(new URL(name, SQL), 'utf8'))
  .join('\n');
export const UNINSTALL_SQL = readFileSync(new URL('uninstall.sql', SQL), 'utf8');
export const DATABASE = 'guarded';
const GUARDED = ['contacts', 'events', 'events_eu'].map((name) => ({ schema: 'public', name }));

/** A database with tables of an owner who is no superuser, a role that may write with a grant, and one that may not. */
export class GuardedDatabase {
  readonly admin: SqlClient;
  readonly owner: SqlClient;
  readonly app: SqlClient;
  readonly stranger: SqlClient;
  readonly key = randomBytes(32);
  #count = 0;

  constructor({ connection }: ScratchPostgres) {
    const as = (user: string): SqlClient => openSqlClient({ connection: { ...connection, user, database: DATABASE } });
    this.admin = as(connection.user);
    this.owner = as('owner');
    this.app = as('app');
    this.stranger = as('stranger');
  }

  static async make(server: ScratchPostgres): Promise<GuardedDatabase> {
    const first = openSqlClient({ connection: server.connection });
    for (const role of ['owner', 'app', 'stranger']) await first.query(`create role ${role} login`);
    await first.query(`create database ${DATABASE} owner owner`);
    await first.close();
    const made = new GuardedDatabase(server);
    await made.admin.query('grant create on schema public to owner, app, stranger');
    await made.owner.query(`create table contacts (id int primary key, note text);
      create table events (id int, region text, primary key (id, region)) partition by list (region);
      create table events_eu partition of events for values in ('eu');
      create table notes (id int);
      grant all on contacts, events, notes to stranger, app; grant update (note) on contacts to public`);
    return made;
  }

  /** All guarded tables, under a grant. */
  async empty(): Promise<void> {
    const all = { operations: ['truncate'], relations: GUARDED.map(({ schema, name }) => `${schema}.${name}`) };
    await this.write(this.admin, this.grant(all), 'truncate contacts, events');
  }

  /** The ids in `contacts`, ascending. */
  async contacts(): Promise<readonly number[]> {
    return (await this.admin.query<{ id: number }>('select id from contacts order by id')).rows.map(({ id }) => id);
  }

  install(review = false): Promise<GuardStatus> {
    const { key } = this;
    return installGuard(this.admin, {
      installSql: INSTALL_SQL,
      sourceId: 'crm',
      key,
      review,
      relations: GUARDED.slice(0, 2),
      writers: ['app', 'owner'],
    });
  }

  grant(overrides: Partial<Grant> = {}): string {
    this.#count += 1;
    const nowMs = Date.now();
    const grant: Grant = {
      v: 0,
      token: this.#count.toString(16).padStart(32, '0'),
      tenant: 'acme',
      event_id: `event-${this.#count}`,
      source_id: 'crm',
      database: DATABASE,
      role: null,
      member: null,
      relations: ['public.contacts'],
      operations: ['insert', 'update'],
      rows_max: 2,
      not_before: nowMs,
      expires_at: nowMs + 60_000,
      ...overrides,
    };
    return mintGrant(grant, this.key);
  }

  /** Redeems, then writes, in one transaction. */
  async write(client: SqlClient, grant: string, ...statements: readonly string[]): Promise<void> {
    await client.transaction(async (session) => {
      await session.query('select clyra.redeem($1)', [grant]);
      for (const statement of statements) await session.query(statement);
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.admin, this.owner, this.app, this.stranger].map((client) => client.close()));
  }
}

/** The code with which `work` is refused; `done` where it is not. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    const { code, context } = error as ClyraError;
    return code === 'CLY_SOURCE_SQL_FAILED' ? `${code} ${String(context['sqlState'])}` : code;
  }
}
