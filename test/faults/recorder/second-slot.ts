// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';
import { clientEnvironment, clientProgram, connectionArguments } from './client-programs.ts';
import type { Committed } from './committed.ts';
import { readPgoutput } from './read-pgoutput.ts';

const SLOT = 'second_opinion';
const READ_DEADLINE_MS = 300_000;
const run = promisify(execFile);

export type SecondSlotOptions = {
  readonly sql: SqlClient;
  readonly database: PostgresConnection;
  /** The recorder's: both slots see the same relations. */
  readonly publication: string;
  readonly folder: string;
};

/** A slot beside the recorder's, read once at the end by pg_recvlogical. */
export class SecondSlot {
  readonly #options: SecondSlotOptions;

  private constructor(options: SecondSlotOptions) {
    this.#options = options;
  }

  /** From here on it keeps every commit. */
  static async open(options: SecondSlotOptions): Promise<SecondSlot> {
    await options.sql.query('select pg_create_logical_replication_slot($1, $2)', [SLOT, 'pgoutput']);
    return new SecondSlot(options);
  }

  /** What reads it: the server's own function stands in where the host has no client programs. */
  get reader(): 'pg_recvlogical' | 'sql' {
    return clientProgram('pg_recvlogical') === undefined ? 'sql' : 'pg_recvlogical';
  }

  /** Every transaction that has committed, in the order of commits. */
  async read(): Promise<readonly Committed[]> {
    const program = clientProgram('pg_recvlogical');
    return readPgoutput(program === undefined ? await this.#readBySql() : await this.#receive(program));
  }

  async #receive(program: string): Promise<Uint8Array> {
    const { sql, database, publication, folder } = this.#options;
    const { rows } = await sql.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
    const file = join(folder, 'second-slot.pgoutput');
    const plugin = ['-o', 'proto_version=1', '-o', `publication_names=${publication}`, '-o', 'messages=true'];
    const what = ['--slot', SLOT, '--start', '--no-loop', '--endpos', rows[0]?.lsn ?? '', '--file', file];
    const args = [...what, ...plugin, ...connectionArguments(database), '-d', database.database];
    await run(program, args, { env: clientEnvironment(database), timeout: READ_DEADLINE_MS });
    return readFile(file);
  }

  async #readBySql(): Promise<Uint8Array> {
    const { sql, publication } = this.#options;
    const { rows } = await sql.query<{ data: Uint8Array }>(
      `select data from pg_logical_slot_peek_binary_changes(
         $1, null, null, 'proto_version', '1', 'publication_names', $2, 'messages', 'true')`,
      [SLOT, publication],
    );
    return Buffer.concat(rows.flatMap(({ data }) => [data, Buffer.from('\n')]));
  }
}
