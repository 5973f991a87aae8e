// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { clientEnvironment, clientProgram, connectionArguments } from '../../../faults/recorder/client-programs.ts';

const run = promisify(execFile);
const CLIENTS = 4;
const PROCESSED = /number of transactions actually processed: (\d+)/;
const ROW = `insert into public.activations (event_id, subject, content) values ('', 'bench', '{"a": 1}');\n`;
export const ROWS_EACH = 3;

export type PgbenchPlan =
  | { readonly perSecond: number; readonly seconds: number }
  /** As fast as it goes. */
  | { readonly transactions: number };

/** Transactions of three rows and a token, over a few connections. */
export class Pgbench {
  readonly #database: PostgresConnection;
  readonly #program: string;
  readonly #script: string;

  private constructor(database: PostgresConnection, program: string, script: string) {
    this.#database = database;
    this.#program = program;
    this.#script = script;
  }

  static async open(database: PostgresConnection, folder: string): Promise<Pgbench> {
    const program = clientProgram('pgbench');
    if (program === undefined) throw new Error("this bench needs pgbench, of PostgreSQL's client programs");
    const script = join(folder, 'bench.sql');
    const token = `select pg_logical_emit_message(true, 'clyra', 'token-' || gen_random_uuid());\n`;
    await writeFile(script, `begin;\n${token}${ROW.repeat(ROWS_EACH)}commit;\n`);
    return new Pgbench(database, program, script);
  }

  /** Resolves with the number of transactions that committed. */
  async run(plan: PgbenchPlan): Promise<number> {
    const many = 'transactions' in plan || plan.perSecond > CLIENTS;
    const clients = many ? CLIENTS : 1;
    const size =
      'transactions' in plan
        ? ['-t', String(Math.ceil(plan.transactions / clients))]
        : ['-R', String(plan.perSecond), '-T', String(plan.seconds)];
    const args = ['-n', '-f', this.#script, '-c', String(clients), '-j', '1', ...size];
    const target = [...connectionArguments(this.#database), this.#database.database];
    const { stdout } = await run(this.#program, [...args, ...target], { env: clientEnvironment(this.#database) });
    return Number(PROCESSED.exec(stdout)?.[1] ?? 0);
  }
}
