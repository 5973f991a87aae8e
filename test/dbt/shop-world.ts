// SPDX-License-Identifier: Apache-2.0
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { runCli } from '@clyra/cli/run-cli';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { dbtFacts } from '@clyra/core/inspection/dbt-results';
import { EMPTY_POLICY } from '@clyra/core/policy/policy';
import { startTestStack } from '@clyra/testing/harness';
import { History } from '@clyra/testing/history';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { writeFiles } from '@clyra/testing/write-files';

export const PROJECT = join(import.meta.dirname, 'project');

/** What a run of the corner shop left: its target folder, and the SQL of the state before it. */
export type ShopRun = { readonly target: string; readonly base: string };

export type Answer = { readonly code: number; readonly value: JsonObject; readonly err: string };

/** A database server for shops, and a folder for what is kept of them. */
export class ShopWorld {
  readonly server: PostgresConnection;
  readonly folder: string;
  readonly #admin: SqlClient;
  readonly #prefix: string;
  #serial = 0;

  private constructor(server: PostgresConnection, folder: string, prefix: string) {
    this.server = server;
    this.folder = folder;
    this.#prefix = prefix;
    this.#admin = openSqlClient({ connection: server, connectionsMax: 1 });
  }

  static async start(): Promise<ShopWorld> {
    const { postgres, topicPrefix } = await startTestStack({ parts: ['postgres'] });
    if (postgres === undefined) throw new Error('the test stack has PostgreSQL');
    const folder = await mkdtemp(join(tmpdir(), 'clyra-dbt-'));
    return new ShopWorld({ ...postgres, database: 'postgres' }, folder, topicPrefix);
  }

  async close(): Promise<void> {
    await this.#admin.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A database with what the SQL makes. */
  async database(sql: string): Promise<PostgresConnection> {
    this.#serial += 1;
    const connection = { ...this.server, database: `${this.#prefix}_shop_${this.#serial}` };
    await this.#admin.query(`create database ${connection.database}`);
    await this.sql(connection, sql);
    return connection;
  }

  async sql(connection: PostgresConnection, text: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const client = openSqlClient({ connection, connectionsMax: 1 });
    return (await client.query(text).finally(() => client.close())).rows;
  }

  /** A copy of a run that a test may change, with folders of its own. */
  async copy({ target, base }: ShopRun): Promise<ShopRun & { readonly home: string; readonly artifacts: string }> {
    const home = await mkdtemp(join(this.folder, 'run-'));
    const artifacts = join(home, 'artifacts');
    await mkdir(artifacts);
    await cp(target, join(home, 'left'), { recursive: true });
    return { home, artifacts, target: join(home, 'left'), base };
  }

  /** A bundle in which intake saw the results of the run, as a `dbt_tests` rule reads them. */
  async bundle(home: string, results: Uint8Array | undefined): Promise<string> {
    const history = await new History().open();
    const seen = results === undefined ? {} : { dbt_test_results: seenIn(results) };
    await history.request({ payload_digest: digestOf('a deploy of the marts'), ...seen });
    await history.closeWindow();
    const [sealed] = await sealHistory(history);
    const bundle = join(home, 'bundle');
    writeFiles(bundle, sealed?.files ?? []);
    return bundle;
  }

  async kit(run: ShopRun & { artifacts: string; home: string }, source: PostgresConnection): Promise<Answer> {
    const base = join(run.home, 'base.sql');
    await writeFile(base, run.base);
    return this.#clyra(
      ...['replay-kit', '--tenant', 'acme', '--source', 'crm', '--url', urlOf(source), '--artifacts', run.artifacts],
      ...['--base', base, '--dbt-target', run.target, '--dbt-project', PROJECT],
    );
  }

  replay(run: { readonly artifacts: string }, bundle: string, kit: JsonValue | undefined): Promise<Answer> {
    const scratch = urlOf(this.server);
    return this.#clyra('replay', bundle, '--data', String(kit), '--artifacts', run.artifacts, '--scratch', scratch);
  }

  async #clyra(...args: readonly string[]): Promise<Answer> {
    const out: string[] = [];
    const err: string[] = [];
    const code = await runCli(['--data-dir', join(this.folder, 'data'), '--json', ...args], {
      stdout: { write: (text) => out.push(text) },
      stderr: { write: (text) => err.push(text) },
      clock: { nowMs: () => Date.now(), after: () => () => {} },
      random: { bytes: (size) => crypto.getRandomValues(new Uint8Array(size)) },
    });
    const value = out.length === 0 ? {} : (JSON.parse(out.join('')) as JsonObject);
    return { code, value, err: err.join('') };
  }
}

function seenIn(results: Uint8Array): ReturnType<typeof dbtFacts> {
  const counts = { tests_min: 0, failures_max: 0, warnings_max: null, required: [] };
  const rule = { id: 'marts', routes: ['contacts.sync'], results: '', effect: 'block', ...counts } as const;
  const document = JSON.parse(Buffer.from(results).toString('utf8')) as JsonValue;
  return dbtFacts({ ...EMPTY_POLICY, dbt_tests: [rule] }, 'contacts.sync', document);
}

export function urlOf({ host, port, user, password = '', database }: PostgresConnection): string {
  return `postgres://${user}${password === '' ? '' : `:${String(password)}`}@${host}:${port}/${database}`;
}

/** A run as it was recorded (recorded/README.md), and the SQL of the state after it. */
export async function recordedRun(name: 'determined' | 'everything'): Promise<ShopRun & { readonly after: string }> {
  const folder = join(import.meta.dirname, 'recorded', name);
  const [base, after] = await Promise.all(
    ['base.sql', 'after.sql'].map((file) => readFile(join(folder, file), 'utf8')),
  );
  return { target: join(folder, 'left'), base: base ?? '', after: after ?? '' };
}
