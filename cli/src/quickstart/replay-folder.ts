// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import type { Context } from '../context.ts';
import { keepByDigest } from '../replay/keep-by-digest.ts';
import { makeKit } from '../replay/make-kit.ts';
import { demoBase } from './demo-base.ts';
import type { Change, Sent } from './gateway-sender.ts';

/**
 * What only the gateway wrote. `refunds` is not among them: nobody kept what was written behind it, so a replay with
 * `refunds` in its kit ends partial and names that transaction.
 */
const TABLES = ['activations', 'audiences', 'accounts'].map((name) => ({ schema: 'public', name }));

/** Keeps what a data replay of the run needs beyond the journal, as a customer would: its own requests, and where it began. */
export class ReplayFolder {
  readonly path: string;
  readonly #context: Context;
  readonly #database: PostgresConnection;
  readonly #targets: { event_id: string; target: string }[] = [];
  /** Some payloads are sent more than once, so a set. */
  readonly #bodies = new Set<string>();
  #base = '';

  constructor(context: Context, run: { readonly runId: string; readonly database: PostgresConnection }) {
    this.#context = context;
    this.#database = run.database;
    this.path = join(context.layout.dataDir, 'replay', run.runId);
  }

  async begin(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const connection = { ...this.#database, applicationName: 'clyra-cli' };
    const client = openSqlClient({ connection, connectionsMax: 1 });
    try {
      this.#base = await demoBase(client);
    } finally {
      await client.close();
    }
  }

  /** A client that keeps what it was allowed to do. */
  keeping(send: (change: Change) => Promise<Sent>): (change: Change) => Promise<Sent> {
    return async (change) => {
      const sent = await send(change);
      if (sent.status < 300 && sent.eventId !== undefined) {
        this.#bodies.add(change.body);
        this.#targets.push({ event_id: sent.eventId, target: change.target });
      }
      return sent;
    };
  }

  /** The kit's file, made from the database as it is after the run. */
  async end(tenant: string): Promise<string> {
    for (const body of this.#bodies) await keepByDigest(this.path, Buffer.from(body, 'utf8'));
    const { file } = await makeKit(this.#context, {
      tenant,
      source_id: 'crm',
      base: [Buffer.from(this.#base, 'utf8')],
      tables: TABLES,
      sequences: [],
      targets: this.#targets,
      connection: this.#database,
      artifacts: this.path,
    });
    return file;
  }
}
