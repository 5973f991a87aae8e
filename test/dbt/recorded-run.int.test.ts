// SPDX-License-Identifier: Apache-2.0
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, recordedRun, type ShopRun, ShopWorld } from './shop-world.ts';

const SET_UP_MS = 240_000;
const DAILY = 'model.corner_shop.daily_sales';
const TOTALS = 'model.corner_shop.customer_totals';

let world: ShopWorld;
beforeAll(async () => {
  world = await ShopWorld.start();
}, SET_UP_MS);
afterAll(() => world?.close());

type Copy = Awaited<ReturnType<ShopWorld['copy']>>;
type Changes = {
  /** Of what the run left, before the kit is made. */
  readonly left?: (copy: Copy) => Promise<void>;
  readonly base?: (sql: string) => string;
  /** Of the source, after the run. */
  readonly source?: string;
  /** Of what the kit kept. */
  readonly kept?: (copy: Copy) => Promise<void>;
  readonly isUnseen?: true;
};

/** Makes a kit of a recorded run and replays it against a bundle in which intake saw the results as they were. */
async function replayOf(name: 'determined' | 'everything', changes: Changes = {}): Promise<Answer> {
  const recorded = await recordedRun(name);
  const seen = await readFile(join(recorded.target, 'run_results.json'));
  const source = await world.database(recorded.after + (changes.source ?? ''));
  const base = (changes.base ?? ((sql) => sql))(recorded.base);
  const copy = await world.copy({ ...recorded, base } satisfies ShopRun);
  await changes.left?.(copy);
  const made = await world.kit(copy, source);
  expect([made.code, made.err]).toEqual([0, '']);
  await changes.kept?.(copy);
  const bundle = await world.bundle(copy.home, changes.isUnseen ? undefined : seen);
  return world.replay(copy, bundle, made.value['kit']);
}

/** Another SQL in one of the artifacts: a factor of 2 for 1. */
async function alter({ target }: Copy, file: string): Promise<void> {
  const path = join(target, file);
  const text = await readFile(path, 'utf8');
  expect(text).toContain('p.amount * (1');
  await writeFile(path, text.replaceAll('p.amount * (1', 'p.amount * (2'));
}

async function keptWithout(copy: Copy, file: string): Promise<void> {
  await rm(join(copy.artifacts, digestOf(await readFile(join(copy.target, file)))));
}

const missing = ({ value }: Answer): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    (value['names_not_compared'] as unknown as readonly { code: string; names: string[] }[]).map(({ code, names }) => [
      code,
      names,
    ]),
  );

describe('clyra replay --data of a dbt run', () => {
  it(
    'comes out again relation by relation and test by test: seed, view, table over an ephemeral model, increment',
    async () => {
      const { code, value, err } = await replayOf('determined');
      expect([code, err, value]).toMatchObject([
        0,
        '',
        { result: 'success', first_difference: null, not_compared: [] },
      ]);
      expect(value['compared']).toEqual([
        { count: 27, what: 'columns' },
        { count: 6, what: 'relations' },
        { count: 3, what: 'tests' },
      ]);
    },
    SET_UP_MS,
  );

  it(
    'is partial over clocks, hooks and a snapshot, each named, and compares the rest',
    async () => {
      // As the hook would have left it, had a customer had no orders.
      const source = 'delete from mart.hooked_totals where customer_id = 3';
      const answer = await replayOf('everything', { source });
      expect([answer.code, answer.value['first_difference']]).toEqual([4, null]);
      expect(missing(answer)).toEqual({
        CLY_REPLAY_DBT_HOOK: [
          'model.corner_shop.hooked_totals',
          'mart.hooked_totals: 3 rows instead of 2: model.corner_shop.hooked_totals',
        ],
        CLY_REPLAY_DBT_KIND: ['mart_mart.customers_history: snapshot.corner_shop.customers_history is a snapshot'],
        CLY_REPLAY_NOT_DETERMINED: [
          'mart.dated_totals.built_on, since model.corner_shop.dated_totals',
          'mart.stamped_totals.built_at, since model.corner_shop.stamped_totals',
        ],
      });
      expect(answer.value['compared']).toContainEqual({ count: 8, what: 'relations' });
    },
    SET_UP_MS,
  );

  it(
    'fails where the SQL of both artifacts is another than what intake saw, and names the leaf that says so',
    async () => {
      const { code, value } = await replayOf('determined', {
        left: async (copy) => {
          for (const file of ['manifest.json', 'run_results.json']) await alter(copy, file);
        },
      });
      expect([code, value['result']]).toEqual([1, 'failed']);
      const { leaf, member } = value['first_difference'] as JsonObject;
      expect([typeof leaf, member]).toEqual(['number', expect.stringMatching(/^dbt_test_results: the results of/)]);
    },
    SET_UP_MS,
  );

  it(
    'fails where the manifest alone was altered, and names the model',
    async () => {
      const { code, value } = await replayOf('determined', {
        left: (copy) => alter(copy, 'manifest.json'),
      });
      expect([code, value['first_difference']]).toMatchObject([1, { member: expect.stringContaining(TOTALS) }]);
    },
    SET_UP_MS,
  );

  it(
    'fails where a relation holds something else than the run made, and names its column',
    async () => {
      const { code, value } = await replayOf('determined', {
        source: 'update mart.customer_totals set gross = gross + 1 where customer_id = 2',
      });
      expect([code, value['first_difference']]).toEqual([1, { leaf: null, member: 'mart.customer_totals.gross' }]);
    },
    SET_UP_MS,
  );

  it.each([
    ['the run results', 'run_results.json', 'mart.stg_orders: run_results.json '],
    ['the statement of an increment', 'run/corner_shop/models/daily_sales.sql', 'mart.daily_sales: statement '],
  ])(
    'is partial without %s',
    async (_what, file, named) => {
      const answer = await replayOf('determined', { kept: (copy) => keptWithout(copy, file) });
      expect([answer.code, answer.value['result']]).toEqual([4, 'partial']);
      const names = missing(answer)['CLY_REPLAY_ARTIFACT_WITHHELD'] ?? [];
      expect(names.some((name) => name.startsWith(named))).toBe(true);
      expect(names).toHaveLength(file === 'run_results.json' ? 6 : 1);
    },
    SET_UP_MS,
  );

  it(
    'is partial where the base lacks the table of an increment, and where no line binds the SQL',
    async () => {
      const answer = await replayOf('determined', {
        base: (sql) => sql.slice(0, sql.indexOf('create table mart.')),
        isUnseen: true,
      });
      expect([answer.code, answer.value['result']]).toEqual([4, 'partial']);
      const { CLY_REPLAY_DBT_STATE: state, CLY_REPLAY_DBT_UNBOUND: unbound } = missing(answer);
      expect(state).toEqual([`mart.daily_sales: ${DAILY} changed a table that the base does not make`]);
      expect(unbound).toHaveLength(7);
      expect(unbound).toContain(TOTALS);
    },
    SET_UP_MS,
  );
});
