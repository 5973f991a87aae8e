// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SqlClient, SqlSession } from './sql-client.ts';
import { quoteRelation, type RelationName } from './sql-identifier.ts';

export type GuardRequest = {
  /** Texts of integrations/postgres/sql/install.sql and helpers.sql. */
  readonly installSql: string;
  readonly sourceId: string;
  /** 32 to 64 bytes, shared with whoever mints grants for this database. */
  readonly key: Uint8Array;
  /** Only watches: nothing is refused. */
  readonly review: boolean;
  readonly relations: readonly RelationName[];
  /** Roles that may write the guarded relations with a grant. */
  readonly writers: readonly string[];
};

export type GuardStatus = {
  readonly source_id: string | null;
  readonly mode: 'enforce' | 'review' | null;
  /** Of the guard's functions: the same on every server that has this version of them. */
  readonly code_digest: string | null;
  readonly guarded: readonly string[];
  readonly redemptions: number;
  /** `CODE: what is wrong`; none where the guard is whole. */
  readonly problems: readonly string[];
};

/**
 * Installs the guard, or brings it up to date, in one transaction: afterwards all of it is there, or nothing changed.
 * Needs a superuser, because event triggers do. Rejects as the client does, with the guard's own code in the message.
 */
export function installGuard(client: SqlClient, request: GuardRequest): Promise<GuardStatus> {
  return client.transaction(async (session) => {
    await session.query(request.installSql);
    await session.query('select clyra.configure($1, $2, $3)', [request.sourceId, request.key, request.review]);
    for (const relation of request.relations) {
      const name = quoteRelation(relation);
      await session.query('select clyra.guard($1::text::regclass, $2::name[])', [name, request.writers]);
    }
    return readStatus(session);
  });
}

/** undefined where no guard was installed. */
export async function guardStatus(client: SqlClient): Promise<GuardStatus | undefined> {
  const installed = await client.query<{ isThere: boolean }>(
    `select pg_catalog.to_regprocedure('clyra.status()') is not null as "isThere"`,
  );
  return installed.rows[0]?.isThere === true ? readStatus(client) : undefined;
}

/** `uninstallSql` is the text of integrations/postgres/sql/uninstall.sql. Does nothing where there is no guard. */
export async function uninstallGuard(client: SqlClient, uninstallSql: string): Promise<void> {
  await client.transaction(async (session) => {
    await session.query(uninstallSql);
  });
}

async function readStatus(session: SqlSession): Promise<GuardStatus> {
  const { rows } = await session.query<{ status: JsonValue }>('select clyra.status() as status');
  const status = rows[0]?.status;
  if (!isJsonObject(status)) {
    throw new ClyraError('CLY_GUARD_STATUS', 'The guard does not say how it is. Install it again.', { retry: 'never' });
  }
  return status as unknown as GuardStatus;
}
