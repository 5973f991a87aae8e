// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';
import { ClyraError } from '@clyra/core/kernel/error';

export type Order = { readonly token: string; readonly eventId: string };

/**
 * Orders wait in a table that nobody guards, each under its token. Whoever calls the function does the oldest one that
 * is not done: the token and the row it allows, in one transaction with the mark that it is done.
 */
export const INBOX = `
create table if not exists public.inbox (
  id bigserial primary key, token text not null unique, event_id text not null, done boolean not null default false);
create index if not exists inbox_waiting on public.inbox (id) where not done;
create or replace function public.do_next() returns void language plpgsql as $body$
declare
  next record;
begin
  update public.inbox set done = true
    where id = (select id from public.inbox where not done order by id limit 1 for update skip locked)
    returning token, event_id into next;
  if next.token is null then return; end if;
  perform pg_logical_emit_message(true, 'clyra', next.token);
  insert into public.activations (event_id, subject, content) values (next.event_id, 'gateway', '{"a": 1}');
end
$body$`;

const FEED_EVERY_MS = 20;
const LOOK_EVERY_MS = 100;

/** Puts orders into the inbox, again and again while the database is away: none is lost, and none stands there twice. */
export class Inbox {
  readonly #sql: SqlClient;
  readonly #feeding: Promise<void>;
  #waiting: Order[] = [];
  #open = true;

  constructor(sql: SqlClient) {
    this.#sql = sql;
    this.#feeding = this.#feed();
  }

  add(order: Order): void {
    this.#waiting.push(order);
  }

  /** Until everything that was added is done. */
  async done(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while ((await this.#left()) > 0) {
      if (performance.now() > endMs) throw new Error(`${await this.#left()} orders were not done in ${deadlineMs} ms`);
      await pause(LOOK_EVERY_MS);
    }
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.#feeding;
  }

  async #left(): Promise<number> {
    const counted = 'select count(*)::int as count from public.inbox where not done';
    const { rows } = await this.#sql.query<{ count: number }>(counted);
    return this.#waiting.length + (rows[0]?.count ?? 0);
  }

  async #feed(): Promise<void> {
    while (this.#open) {
      const orders = [...this.#waiting];
      if (orders.length > 0 && (await this.#put(orders))) this.#waiting = this.#waiting.slice(orders.length);
      await pause(FEED_EVERY_MS);
    }
  }

  /** A commit that was not confirmed is repeated: the token keeps it single. */
  async #put(orders: readonly Order[]): Promise<boolean> {
    try {
      await this.#sql.query(
        `insert into public.inbox (token, event_id) select * from unnest($1::text[], $2::text[]) on conflict do nothing`,
        [orders.map(({ token }) => token), orders.map(({ eventId }) => eventId)],
      );
      return true;
    } catch (error) {
      if (error instanceof ClyraError) return false;
      throw error;
    }
  }
}
