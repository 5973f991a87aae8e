// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SqlClient, SqlSession } from '@clyra/adapter-postgres/sql-client';
import { WORLD_TABLE } from '../world/world-policy.ts';

const COPIED_ROWS = 200;
const KINDS = ['COPY', 'TRUNCATE', 'ALTER TABLE', 'UPDATE', 'DELETE'] as const;
export type MaintenanceKind = (typeof KINDS)[number];

/** What more than one row of the guarded table takes, as a superuser does it, one kind after the other. */
export class Maintenance {
  readonly counts = new Map<MaintenanceKind, number>();
  readonly #admin: SqlClient;
  readonly #file: string;
  #turn = 0;

  private constructor(admin: SqlClient, file: string) {
    this.#admin = admin;
    this.#file = file;
  }

  static async open(admin: SqlClient, folder: string): Promise<Maintenance> {
    const file = join(folder, 'copied-rows.csv');
    const row = (index: number): string => `,copied-${index},"{""a"": ${index}}"\n`;
    await writeFile(file, Array.from({ length: COPIED_ROWS }, (_, index) => row(index)).join(''), { mode: 0o644 });
    return new Maintenance(admin, file);
  }

  /** One transaction of the next kind; without a token it goes round the gateway. */
  async doNext(token?: string): Promise<void> {
    const kind = KINDS[this.#turn % KINDS.length] as MaintenanceKind;
    this.#turn += 1;
    await this.#admin.transaction(async (session) => {
      if (token !== undefined) await session.query("select pg_logical_emit_message(true, 'clyra', $1)", [token]);
      await this.#write(session, kind);
    });
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  async #write(session: SqlSession, kind: MaintenanceKind): Promise<void> {
    // One row at least, so that each kind has something to show.
    await session.query(`insert into ${WORLD_TABLE} (event_id, subject, content) values ('', 'maintenance', '{}')`);
    switch (kind) {
      case 'COPY':
        await session.query(
          `copy ${WORLD_TABLE} (event_id, subject, content) from '${this.#file}' with (format csv, force_not_null (event_id))`,
        );
        return;
      case 'TRUNCATE':
        await session.query(`truncate ${WORLD_TABLE}`);
        return;
      case 'ALTER TABLE':
        await session.query(`alter table ${WORLD_TABLE} add column later_${this.#turn} int`);
        return;
      case 'UPDATE':
        await session.query(`update ${WORLD_TABLE} set subject = 'updated' where subject = 'maintenance'`);
        return;
      case 'DELETE':
        await session.query(`delete from ${WORLD_TABLE} where subject in ('maintenance', 'updated')`);
        return;
    }
  }
}
