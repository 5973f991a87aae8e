// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { SnowflakeHistory } from '@clyra/recorder/warehouse/snowflake/snowflake-history';
import { START_MS } from '@clyra/testing/fold-script';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Running, WarehouseWorld } from '../warehouse-world.ts';
import { SnowflakeServer, STANDIN_PASSWORD, STANDIN_SYSTEM_ID } from './snowflake-server.ts';
import {
  deliveriesOf,
  drawFate,
  drawStatement,
  type Fate,
  GUARDED,
  isTold,
  type TrueStatement,
} from './true-history.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** One in the gate, more in the long run. */
const SEEDS = Array.from({ length: Number(process.env['CLYRA_INT_HISTORIES'] ?? 1) }, (_, index) => index + 1);
const LAGS = { queryLagMs: 45 * MINUTE, accessLagMs: 3 * HOUR };
const SETTINGS = {
  ...LAGS,
  guarded: [GUARDED],
  hasAccessHistory: true,
  redemptions: 'CLYRA.GUARD.REDEMPTIONS',
  overlapMs: 6 * HOUR,
  deepEveryMs: 15 * MINUTE,
  retentionMs: 365 * 24 * HOUR,
  pageRowsMax: 50,
  timeouts: { loginDeadlineMs: 10_000, statementDeadlineMs: 10_000 },
};

type Pair = readonly [TrueStatement, Fate];

let server: SnowflakeServer;
let nowMs = START_MS;

beforeAll(async () => {
  server = await SnowflakeServer.start();
}, 300_000);
afterAll(() => server.kill());
beforeEach(async () => {
  nowMs = START_MS;
  await server.order({ clear: true, clock_ms: nowMs, faults: { short: 0, empty: 0, slow: 0, broken: 0, refused: 0 } });
});

const history = (
  settings: Partial<typeof SETTINGS> & { readonly windowMax?: number; readonly missingMax?: number } = {},
): SnowflakeHistory => new SnowflakeHistory({ ...SETTINGS, ...settings, connection: server.connection });

async function open(
  seed: number,
  options: { readonly faults?: { readonly lostResponseShare: number } } = {},
): Promise<WarehouseWorld> {
  const place = { sourceId: 'snow', systemId: STANDIN_SYSTEM_ID, guarded: [GUARDED] };
  return WarehouseWorld.open({ seed, ...place, ...options });
}

async function begun(world: WarehouseWorld, running: Running): Promise<void> {
  await world.until('a first look', () => world.statusOf(running).state === 'streaming');
}

/** A whole look at the account that began after this was called: each begins by asking for the clock. */
async function looked(): Promise<void> {
  await server.order({});
  let begun = 0;
  for (const endMs = Date.now() + 30_000; begun < 2 && Date.now() < endMs; ) {
    begun += (await server.order({})).filter((sql) => sql.includes('current_account()')).length;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(begun).toBeGreaterThanOrEqual(2);
}

async function passTo(atMs: number): Promise<void> {
  nowMs = atMs;
  await server.order({ clock_ms: nowMs });
}

/** Statements of some hours from now on, and how the account is to show them. */
function drawn(
  random: SeededRandom,
  count: number,
  share: { readonly late: number; readonly missing: number },
): Pair[] {
  return Array.from({ length: count }, (_, index) => {
    const statement = drawStatement(random, index, START_MS + MINUTE + random.nextInt(0, 3 * HOUR));
    return [statement, drawFate(random, LAGS, share)];
  });
}

/** What an honest recorder tells: from the truth and from what was shown at all, not from how. */
function expectedOf(pairs: readonly Pair[]): string[] {
  return pairs
    .filter(([statement, { queryDelayMs }]) => isTold(statement) && queryDelayMs !== null)
    .map(([{ id }]) => id)
    .sort();
}

/** Each told statement is the true one: its table (from either view), counts and tokens. */
function expectTrue(world: WarehouseWorld, pairs: readonly Pair[]): void {
  const truth = new Map(pairs.map(([statement]) => [statement.id, statement]));
  for (const body of world.leaves('transaction')) {
    const said = body['statement'] as JsonObject;
    const statement = truth.get(String(said['id']));
    if (statement === undefined) throw new Error(`${said['id']} never ran`);
    const [relation] = body['relations'] as JsonObject[];
    const [inserts, updates, deletes] = statement.counts;
    expect(`${relation?.['schema']}.${relation?.['name']}`).toBe(statement.table);
    expect(relation).toMatchObject({ inserts, updates, deletes });
    expect(body['committed_at']).toBe(statement.endMs);
    expect(body['token_hashes']).toEqual(statement.token === null ? [] : [digestOf(statement.token)]);
    expect(said['link']).toBe(statement.link);
  }
}

/** Nothing ended before a watermark's time and was told after it, but for what was told as late. */
function expectHonestHorizons(world: WarehouseWorld): void {
  let claimedMs = 0;
  for (const { body } of world.written()) {
    if (body['kind'] === 'watermark') claimedMs = Math.max(claimedMs, Number(body['covers_until']));
    const said = body['statement'] as JsonObject | undefined;
    if (said !== undefined && said['late'] !== true)
      expect(Number(body['committed_at'])).toBeGreaterThanOrEqual(claimedMs);
  }
}

describe('a Snowflake account whose views are behind, out of order and doubled', () => {
  it.each(SEEDS)(
    'is told once and truly over restarts and lost answers of the log (seed %i)',
    async (seed) => {
      const world = await open(seed, { faults: { lostResponseShare: 0.1 } });
      let running = world.start(history());
      await begun(world, running);
      const pairs = drawn(new SeededRandom(seed), 300, { late: 0, missing: 0 });
      await server.order({ deliver: deliveriesOf(pairs) });
      for (let step = 1; step <= 8; step += 1) {
        await passTo(START_MS + step * HOUR);
        const untilMs = nowMs - LAGS.accessLagMs;
        await world.until('the horizon follows', () => world.horizonMs() >= untilMs);
        if (step % 2 === 1) continue;
        await world.kill(running);
        running = world.start(history());
        await begun(world, running);
      }
      await world.until('all is told', () => world.toldIds().length >= expectedOf(pairs).length);
      await world.stop(running);
      expect(world.toldIds().sort()).toEqual(expectedOf(pairs));
      expectTrue(world, pairs);
      expectHonestHorizons(world);
      expect(world.gaps()).toEqual([]);
      expect(world.leaves('coverage').map(({ timeline }) => timeline)).toEqual([1, 2, 3, 4, 5]);
    },
    120_000,
  );

  it('tells a row that comes after its horizon, and signs that the horizon was wrong', async () => {
    const world = await open(3);
    // Without ACCESS_HISTORY no statement is held back, so the horizon follows the clock as near as it may.
    const running = world.start(history({ hasAccessHistory: false }));
    await begun(world, running);
    const pairs = drawn(new SeededRandom(3), 120, { late: 0.1, missing: 0 });
    await server.order({ deliver: deliveriesOf(pairs) });
    // A look during which the clock jumps sees both times: the steps are shorter than what is allowed for.
    for (let step = 1; step <= 10; step += 1) {
      await passTo(START_MS + step * 30 * MINUTE);
      await looked();
    }
    await world.until('all is told', () => world.toldIds().length >= expectedOf(pairs).length);
    await world.stop(running);
    expect(world.toldIds().sort()).toEqual(expectedOf(pairs));
    const late = world.leaves('transaction').filter((body) => (body['statement'] as JsonObject)['late'] === true);
    expect(late.length).toBeGreaterThan(0);
    expect(world.gaps().filter((gap) => !gap.startsWith('history_late '))).toEqual([]);
    expect(world.gaps().length).toBeGreaterThan(0);
    expectTrue(world, pairs);
    expectHonestHorizons(world);
  }, 180_000);

  it('signs a gap for a statement that other views name and QUERY_HISTORY never shows', async () => {
    const world = await open(4);
    const running = world.start(history());
    await begun(world, running);
    const random = new SeededRandom(4);
    const shown: Pair = [
      { ...drawStatement(random, 1, START_MS + MINUTE), type: 'INSERT', counts: [1, 0, 0], status: 'SUCCESS' },
      { queryDelayMs: 0, accessDelayMs: 0, isDoubled: false },
    ];
    const lost: Pair = [
      { ...shown[0], id: 'never-shown', link: 'redemption', token: 'a'.repeat(32) },
      { queryDelayMs: null, accessDelayMs: 0, isDoubled: false },
    ];
    await server.order({ deliver: deliveriesOf([shown, lost]) });
    await passTo(START_MS + 10 * MINUTE);
    await world.until('the other one is told', () => world.toldIds().length === 1);
    expect(world.gaps()).toEqual([]);
    await passTo(START_MS + 10 * MINUTE + LAGS.queryLagMs + HOUR);
    await world.until('a gap', () => world.gaps().length > 0);
    await world.stop(running);
    // Under the time at which it was redeemed, the later of the two that are known of it.
    expect(world.gaps()).toEqual([`statement_missing @${lost[0].endMs} never-shown`]);
  }, 150_000);

  it('lets the horizon stand and says why where more are missing than it waits for, and loses none of them', async () => {
    const world = await open(14);
    const running = world.start(history({ missingMax: 2 }));
    await begun(world, running);
    const base = drawStatement(new SeededRandom(14), 1, START_MS + MINUTE);
    const lost = Array.from({ length: 3 }, (_, index): Pair => {
      const statement = { ...base, type: 'INSERT', status: 'SUCCESS' as const, link: 'none' as const, token: null };
      const startMs = START_MS + MINUTE + index;
      return [
        { ...statement, id: `lost-${index}`, startMs },
        { queryDelayMs: null, accessDelayMs: 0, isDoubled: false },
      ];
    });
    await server.order({ deliver: deliveriesOf(lost) });
    await passTo(START_MS + HOUR);
    const code = 'CLY_SOURCE_STATEMENTS_UNSEEN';
    await world.until('a reason', () => world.statusOf(running).reason?.startsWith(code) === true);
    expect(world.horizonMs()).toBeLessThan(nowMs - LAGS.queryLagMs);
    for (let step = 2; step <= 6; step += 1) {
      await passTo(START_MS + step * HOUR);
      await looked();
    }
    await world.until('gaps', () => world.gaps().length === lost.length);
    await world.until('the horizon follows', () => world.horizonMs() >= nowMs - LAGS.queryLagMs);
    await world.stop(running);
    expect(world.gaps().sort()).toEqual(lost.map(([{ id, startMs }]) => `statement_missing @${startMs} ${id}`).sort());
  }, 150_000);

  it('signs a gap for what the account forgot while nobody read it', async () => {
    const world = await open(5);
    const first = world.start(history());
    await begun(world, first);
    await passTo(START_MS + HOUR);
    await world.until('a horizon', () => world.horizonMs() > 0);
    await world.stop(first);
    const horizonMs = world.horizonMs();
    await passTo(START_MS + 400 * 24 * HOUR);
    const second = world.start(history());
    await world.until('a gap', () => world.gaps().length > 0);
    await world.until('the horizon follows', () => world.horizonMs() === nowMs - LAGS.queryLagMs);
    await world.stop(second);
    expect(world.gaps()).toEqual([`history_aged_out @${horizonMs} @${nowMs - SETTINGS.retentionMs}`]);
  }, 150_000);
});

describe('a Snowflake account with more behind the horizon than one look holds', () => {
  const held = 40;
  const atOnce = (statement: TrueStatement): Pair => [
    statement,
    { queryDelayMs: 0, accessDelayMs: 0, isDoubled: false },
  ];

  it('is told step by step, also what a start looks at again', async () => {
    const world = await open(12);
    const windowed = { windowMax: held, overlapMs: HOUR };
    const first = world.start(history(windowed));
    await begun(world, first);
    await world.stop(first);
    const pairs = drawn(new SeededRandom(12), 400, { late: 0, missing: 0 }).map(([statement]) => atOnce(statement));
    await server.order({ deliver: deliveriesOf(pairs) });
    await passTo(START_MS + 10 * HOUR);
    const second = world.start(history(windowed));
    await world.until('half is told', () => world.toldIds().length >= expectedOf(pairs).length / 2);
    await world.kill(second);
    const third = world.start(history(windowed));
    await world.until('the horizon follows', () => world.horizonMs() >= nowMs - LAGS.queryLagMs);
    await world.stop(third);
    expect(world.toldIds().sort()).toEqual(expectedOf(pairs));
    expectTrue(world, pairs);
    expectHonestHorizons(world);
    expect(world.gaps()).toEqual([]);
    expect(world.leaves('watermark').length).toBeGreaterThanOrEqual(400 / held);
  }, 150_000);

  it('stands before a millisecond in which more ended than can be held, and says so', async () => {
    const world = await open(13);
    const running = world.start(history({ windowMax: held }));
    await begun(world, running);
    const random = new SeededRandom(13);
    const endMs = START_MS + HOUR;
    const many = Array.from({ length: held + 2 }, (_, index) =>
      atOnce({ ...drawStatement(random, index, endMs), type: 'UPDATE' }),
    );
    await server.order({ deliver: deliveriesOf(many) });
    await passTo(START_MS + 10 * HOUR);
    const code = 'CLY_SOURCE_HISTORY_LARGE';
    await world.until('a reason', () => world.statusOf(running).reason?.startsWith(code) === true);
    await world.stop(running);
    expect(world.horizonMs()).toBeLessThanOrEqual(endMs);
    expect(world.toldIds()).toEqual([]);
  }, 150_000);
});

describe('a Snowflake account that fails', () => {
  const one = (): Pair => [
    {
      ...drawStatement(new SeededRandom(9), 1, START_MS + MINUTE),
      type: 'UPDATE',
      counts: [0, 2, 0],
      status: 'SUCCESS',
    },
    { queryDelayMs: 0, accessDelayMs: 0, isDoubled: false },
  ];

  it('is asked again after pages cut short, late answers, refusals, ended sessions and its own end', async () => {
    const world = await open(6);
    const running = world.start(history());
    await begun(world, running);
    const many = drawn(new SeededRandom(6), 200, { late: 0, missing: 0 }).map(
      ([statement]): Pair => [statement, { queryDelayMs: 0, accessDelayMs: 0, isDoubled: false }],
    );
    await server.order({ deliver: deliveriesOf(many), faults: { short: 3, broken: 1 }, end_sessions: true });
    await passTo(START_MS + 9 * HOUR);
    await world.until('all is told', () => world.toldIds().length >= expectedOf(many).length, 60_000);
    await server.kill();
    await world.until('it says so', () => world.statusOf(running).reason?.includes('CLY_SOURCE_UNREACHABLE') === true);
    await server.start();
    await server.order({ clock_ms: nowMs, deliver: deliveriesOf(many) });
    await world.until('it is read again', () => world.statusOf(running).state === 'streaming');
    await world.stop(running);
    expect(world.toldIds().sort()).toEqual(expectedOf(many));
    expect(world.gaps()).toEqual([]);
  }, 180_000);

  it('is asked again for a page of which nothing came: the next deep look may be far', async () => {
    const world = await open(11);
    // One page a look: nothing else can be the empty one.
    const { redemptions: _, ...settings } = SETTINGS;
    const connection = server.connection;
    const alone = { ...settings, hasAccessHistory: false, deepEveryMs: 100 * HOUR, connection };
    const running = world.start(new SnowflakeHistory(alone));
    await begun(world, running);
    await server.order({ deliver: deliveriesOf([one()]), clock_ms: START_MS + 2 * HOUR, faults: { empty: 2 } });
    nowMs = START_MS + 2 * HOUR;
    await world.until('the horizon follows', () => world.horizonMs() >= nowMs - LAGS.queryLagMs);
    await world.stop(running);
    expect(world.toldIds()).toEqual([one()[0].id]);
    expect(world.gaps()).toEqual([]);
  }, 150_000);

  it('is not read under a refused login, and is once it is accepted; the reason names no secret', async () => {
    const world = await open(7);
    await server.order({ faults: { refused: 1 }, deliver: deliveriesOf([one()]) });
    const running = world.start(history());
    await world.until('a reason', () => world.statusOf(running).reason?.startsWith('CLY_SOURCE_AUTH') === true);
    expect(world.statusOf(running).reason).not.toContain(STANDIN_PASSWORD);
    expect(world.written()).toEqual([]);
    await begun(world, running);
    await world.stop(running);
  }, 150_000);

  it('is not read where it is another account than the one that was registered', async () => {
    const place = { sourceId: 'snow', systemId: 'snowflake:OTHER1:AWS_EU_CENTRAL_1', guarded: [GUARDED] };
    const world = await WarehouseWorld.open({ seed: 8, ...place });
    const running = world.start(history());
    await world.until('a reason', () => world.statusOf(running).reason?.startsWith('CLY_RECORDER_OTHER') === true);
    await world.stop(running);
    expect(world.written()).toEqual([]);
  }, 150_000);

  it('is left to a newer recorder, and a statement is told once', async () => {
    const world = await open(10);
    const first = world.start(history());
    await begun(world, first);
    const second = world.start(history());
    await world.until(
      'the first stands back',
      () => world.statusOf(first).reason?.startsWith('CLY_RECORDER_TAKEN_OVER') === true,
    );
    await begun(world, second);
    await server.order({ deliver: deliveriesOf([one()]) });
    await passTo(START_MS + HOUR);
    await world.until('it is told', () => world.toldIds().length > 0);
    await world.stop(first);
    await world.stop(second);
    expect(world.toldIds()).toHaveLength(1);
  }, 150_000);
});
