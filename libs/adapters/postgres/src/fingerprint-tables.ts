// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Fingerprint } from '@clyra/core/replay/judge-rebuild';
import type { SqlClient } from './sql-client.ts';
import type { RelationName } from './sql-identifier.ts';
import { quoteRelation } from './sql-identifier.ts';
import { readTableShape } from './table-shape.ts';
import { DIFF_SETTINGS_SQL, PostgresTableSide } from './table-side.ts';

/**
 * What tables hold, in one read-only transaction: for each column the order-free sum of its values' hashes as text, so
 * that servers of any version agree. A relation that does not exist is left out. Keys are `schema.name`.
 */
export function fingerprintTables(
  client: SqlClient,
  relations: readonly RelationName[],
): Promise<ReadonlyMap<string, Fingerprint>> {
  return client.transaction(async (session) => {
    await session.query(DIFF_SETTINGS_SQL);
    const found = new Map<string, Fingerprint>();
    for (const relation of relations) {
      const shape = await readTableShape(session, relation).catch(absent);
      if (shape === undefined) continue;
      const side = new PostgresTableSide(session, relation, { hash: 'text', key: [], columns: shape.columns });
      const sums = new Map((await side.columnSums()).map(({ name, sum }) => [name, sum]));
      const { rows } = await session.query<{ count: string }>(
        `select count(*)::text as count from ${quoteRelation(relation)}`,
      );
      found.set(`${relation.schema}.${relation.name}`, { rows: Number(rows[0]?.count), sums });
    }
    return found;
  });
}

function absent(error: unknown): undefined {
  if (error instanceof ClyraError && error.code === 'CLY_DIFF_RELATION') return undefined;
  throw error;
}
