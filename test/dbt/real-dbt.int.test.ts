// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pythonEnvironment } from '../standins/python-environment.ts';
import { type Answer, PROJECT, type ShopRun, ShopWorld } from './shop-world.ts';

/** dbt is 150 MB and takes ten seconds a run: `make test-long` (CLYRA_DBT=1); the gate has what it left (recorded/). */
const isAsked = process.env['CLYRA_DBT'] === '1';
const SET_UP_MS = 600_000;
const DBT_DEADLINE_MS = 300_000;
const LATER_ORDERS = `insert into till.orders values (4, 3, 'W', 7.25, 'paid', '2026-11-02 15:00'),
  (5, 2, 'S', 12.00, 'lost', '2026-11-03 08:15')`;
const DETERMINED = ['--exclude', 'tag:undetermined'];

let world: ShopWorld;
let dbt: string;
const run = promisify(execFile);

beforeAll(async () => {
  if (!isAsked) return;
  world = await ShopWorld.start();
  dbt = join(await pythonEnvironment('dbt', join(import.meta.dirname, 'requirements.txt')), 'bin', 'dbt');
}, SET_UP_MS);
afterAll(() => world?.close());

/** The corner shop in a database of its own, built once; then two orders come in. */
async function openShop(): Promise<{ project: string; shop: PostgresConnection; base: string }> {
  const first = await readFile(join(import.meta.dirname, 'before-first.sql'), 'utf8');
  const shop = await world.database(first);
  const project = join(world.folder, shop.database);
  await cp(PROJECT, project, { recursive: true });
  await build(project, shop, DETERMINED);
  await world.sql(shop, LATER_ORDERS);
  const [row] = await world.sql(
    shop,
    `select string_agg(format('insert into mart.daily_sales values (%L, %L, %L)', day, orders, amount), ';') as rows
     from mart.daily_sales`,
  );
  const sales = `create table mart.daily_sales (day date, orders bigint, amount numeric);${String(row?.['rows'])}`;
  const tables = first.replace('create schema till;', '');
  return { project, shop, base: `${tables};${LATER_ORDERS};${sales}` };
}

async function build(project: string, { host, port, user, password, database }: PostgresConnection, more: string[]) {
  const env = {
    ...{ PATH: '/usr/bin:/bin', HOME: project, DBT_PROFILES_DIR: project, DBT_SEND_ANONYMOUS_USAGE_STATS: 'false' },
    ...{ SHOP_HOST: host, SHOP_PORT: String(port), SHOP_USER: user, SHOP_DATABASE: database },
    ...(typeof password === 'string' ? { SHOP_PASSWORD: password } : {}),
  };
  await run(dbt, ['--quiet', 'build', ...more], { cwd: project, env, timeout: DBT_DEADLINE_MS });
}

async function replayed(target: ShopRun, shop: PostgresConnection): Promise<Answer> {
  const seen = await readFile(join(target.target, 'run_results.json'));
  const copy = await world.copy(target);
  const made = await world.kit(copy, shop);
  expect([made.code, made.err]).toEqual([0, '']);
  return world.replay(copy, await world.bundle(copy.home, seen), made.value['kit']);
}

(isAsked ? describe : describe.skip)('a run of dbt itself', () => {
  it(
    'comes out again, and does not where its table was altered',
    async () => {
      const { project, shop, base } = await openShop();
      const target = { target: join(project, 'target'), base };
      await build(project, shop, DETERMINED);
      const determined = await replayed(target, shop);
      expect(determined).toMatchObject({ code: 0, value: { result: 'success', not_compared: [] } });
      await world.sql(shop, 'update mart.customer_totals set gross = gross + 1 where customer_id = 2');
      const altered = await replayed(target, shop);
      expect([altered.code, (altered.value['first_difference'] as JsonObject)['member']]).toEqual([
        1,
        'mart.customer_totals.gross',
      ]);
    },
    SET_UP_MS,
  );

  it(
    'is partial where models look at the clock, and names them',
    async () => {
      const { project, shop, base } = await openShop();
      await build(project, shop, []);
      const { code, value } = await replayed({ target: join(project, 'target'), base }, shop);
      expect([code, value['result'], value['first_difference']]).toEqual([4, 'partial', null]);
      expect(JSON.stringify(value['names_not_compared'])).toContain('since model.corner_shop.stamped_totals');
    },
    SET_UP_MS,
  );
});
