// SPDX-License-Identifier: Apache-2.0

import { CLOCK_SETTING, PINNED_SCHEMA, type ScratchDatabase } from './scratch-database.ts';
import { openSqlClient, type SqlClient, type SqlResult, type SqlRow } from './sql-client.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation, type RelationName } from './sql-identifier.ts';

export type Pins = {
  /** Milliseconds: what the clock functions say. PostgreSQL’s keywords (CURRENT_TIMESTAMP) cannot be pinned. */
  readonly clockMs: number;
  readonly searchPath: readonly string[];
};

/** One session of the scratch role, in which SQL from a bundle runs one text after the other. */
export class ScratchSession {
  readonly client: SqlClient;
  readonly #scratch: ScratchDatabase;

  constructor(scratch: ScratchDatabase, statementTimeoutMs: number) {
    this.#scratch = scratch;
    this.client = openSqlClient({
      connection: scratch.connection,
      connectionsMax: 1,
      timeouts: { statementTimeoutMs },
    });
  }

  /** Runs one text as it was recorded, whatever the texts before it did to the session. Its last statement answers. */
  async run(text: string, { clockMs, searchPath }: Pins): Promise<SqlResult<SqlRow>> {
    // What is made without a schema goes into the first one; functions are found in their order.
    const path = [...searchPath, PINNED_SCHEMA, 'pg_catalog'].map(quoteIdentifier).join(', ');
    const clock = quoteLiteral(new Date(clockMs).toISOString());
    await this.client.query('rollback');
    await this.client.query(`reset all; set search_path = ${path}; set ${CLOCK_SETTING} = ${clock}`);
    const answer = await this.client.query(text);
    this.#scratch.check();
    return answer;
  }

  async hasRelation(relation: RelationName): Promise<boolean> {
    const { rows } = await this.client.query<{ found: boolean }>(
      'select pg_catalog.to_regclass($1) is not null as found',
      [quoteRelation(relation)],
    );
    return rows[0]?.found === true;
  }

  async setSequence({ schema, name, value }: { schema: string; name: string; value: number }): Promise<void> {
    await this.client.query('select pg_catalog.setval($1::regclass, $2::bigint)', [
      quoteRelation({ schema, name }),
      value,
    ]);
  }

  /** Back to a session without an open transaction or settings of others. */
  async reset(): Promise<void> {
    await this.client.query('rollback');
    await this.client.query('reset all');
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
