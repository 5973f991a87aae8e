// SPDX-License-Identifier: Apache-2.0
import type { SqlSession } from '@clyra/adapter-postgres/sql-client';
import { ClyraError } from '@clyra/core/kernel/error';

export type DatabaseRequest = {
  readonly database: string;
  /** Made where missing, and then owns the database. */
  readonly owner: string;
  readonly ownerPassword: string;
  /** May open replication connections, as a recorder does. */
  readonly replication?: boolean;
};

const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Makes the role and the database where they are missing; an existing role gets the password. Needs the superuser's session. */
export async function ensureDatabase(session: SqlSession, request: DatabaseRequest): Promise<void> {
  const owner = plainName(request.owner);
  const database = plainName(request.database);
  const existing = await session.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [owner]);
  const verb = existing.rowCount === 0 ? 'CREATE' : 'ALTER';
  const replication = request.replication === true ? 'REPLICATION' : 'NOREPLICATION';
  await session.query(`${verb} ROLE ${owner} LOGIN ${replication} PASSWORD ${quotedText(request.ownerPassword)}`);
  const databases = await session.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
  if (databases.rowCount === 0) await session.query(`CREATE DATABASE ${database} OWNER ${owner}`);
}

/** Removes a database with everybody who is connected to it. Nothing happens where there is none. */
export async function dropDatabase(session: SqlSession, database: string): Promise<void> {
  await session.query(`DROP DATABASE IF EXISTS ${plainName(database)} WITH (FORCE)`);
}

/** DDL takes no bound parameters, so a name is accepted only where it needs no quoting. */
function plainName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  throw new ClyraError('CLY_STACK_CONFIG', `${name} cannot name a role or database: use a-z, 0-9 and _, at most 63`, {
    retry: 'never',
  });
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
