// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { HistoryPass, HistoryRequest, HistorySource } from '@clyra/recorder/warehouse/history-source';
import type { ObservedStatement } from '@clyra/recorder/warehouse/observed-statement';
import { START_MS } from '@clyra/testing/fold-script';
import type { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { type Running, WarehouseWorld } from '../standins/warehouse-world.ts';

const SYSTEM_ID = 'snowflake:SIM:NOWHERE';
const LAG_MS = 60_000;
/** Of one look: fewer than what may be waiting. */
const SHOWN_MAX = 4;
const LOSSY = { lostResponseShare: 0.1, lostRequestShare: 0.05, refusedShare: 0.05 };

type Ran = { readonly id: string; readonly atMs: number; readonly visibleAtMs: number };

/** A warehouse in memory that keeps its promise of latency, and whose answers are late or fail. */
class SimWarehouse {
  readonly ran: Ran[] = [];
  readonly #clock: SimClock;
  readonly #random: SeededRandom;

  constructor(clock: SimClock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  run(): void {
    const atMs = this.#clock.nowMs();
    this.ran.push({ id: `q${this.ran.length}`, atMs, visibleAtMs: atMs + this.#random.nextInt(0, LAG_MS - 1) });
  }

  source(): HistorySource {
    return {
      overlapMs: 10 * LAG_MS,
      lagMs: 2 * LAG_MS,
      facts: async () => this.#answer(() => ({ systemId: SYSTEM_ID, nowMs: this.#clock.nowMs() })),
      coverage: async () => ({ scope: 'listed', relations: ['A.B.C'], blindSpots: [] }),
      read: (request) => this.#answer(() => this.#look(request)),
      close: async () => undefined,
    };
  }

  /** The oldest ones in reach, told or not, as many as one look holds. */
  #look({ nowMs, beganMs, horizonMs, isKnown, resume }: HistoryRequest): HistoryPass {
    const fromMs = resume.get('') ?? Math.max(beganMs, horizonMs - 10 * LAG_MS);
    const shown = this.ran
      .filter(({ atMs, visibleAtMs }) => visibleAtMs <= nowMs && atMs >= fromMs)
      .sort((left, right) => left.atMs - right.atMs);
    const untilMs = shown.find(({ atMs }, index) => index >= SHOWN_MAX && atMs > (shown[0]?.atMs ?? 0))?.atMs;
    const held = shown.filter(({ atMs }) => atMs < (untilMs ?? nowMs + 1));
    const isPart = untilMs !== undefined && untilMs <= horizonMs;
    const coversUntilMs = Math.max(horizonMs, Math.min(nowMs - LAG_MS, untilMs ?? nowMs));
    return {
      statements: held.filter(({ id }) => !isKnown(id)).map(told),
      gaps: [],
      coversUntilMs,
      heldCount: 0,
      resume: isPart ? new Map([['', untilMs]]) : new Map(),
      isBehind: isPart || (untilMs !== undefined && coversUntilMs > horizonMs),
    };
  }

  async #answer<Value>(make: () => Value): Promise<Value> {
    await new Promise<void>((resolve) => this.#clock.after(this.#random.nextInt(1, 80), resolve));
    if (this.#random.chance(0.05)) throw new ClyraError('CLY_SOURCE_UNREACHABLE', 'no answer', { retry: 'backoff' });
    return make();
  }
}

function told({ id, atMs }: Ran): ObservedStatement {
  return {
    ...{ engine: 'snowflake', id, operation: 'INSERT', committedAtMs: atMs, effectFrom: 'access_history' },
    relations: [{ schema: 'A.B', name: 'C', inserts: 1, updates: 0, deletes: 0, truncates: 0 }],
    ...{ tokenHashes: [], link: 'none', content: id },
  };
}

async function opened(seed: number): Promise<{ clock: SimClock; world: WarehouseWorld; warehouse: SimWarehouse }> {
  const clock = new SimClock(START_MS);
  const place = { sourceId: 'snow', systemId: SYSTEM_ID, guarded: ['A.B.C'] };
  const world = await WarehouseWorld.open({ seed, ...place, clock, faults: LOSSY, pollIntervalMs: 1_000 });
  return { clock, world, warehouse: new SimWarehouse(clock, world.random) };
}

/** What ended before a watermark's time stands before it. */
function falseWatermarks(world: WarehouseWorld, ran: readonly Ran[], beganMs: number): string[] {
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const { body } of world.written()) {
    if (body['kind'] === 'transaction') seen.add(String((body['statement'] as { readonly id: string }).id));
    if (body['kind'] !== 'watermark') continue;
    const until = Number(body['covers_until']);
    wrong.push(...ran.filter(({ id, atMs }) => atMs >= beganMs && atMs < until && !seen.has(id)).map(({ id }) => id));
  }
  return wrong;
}

describe('the recording of a warehouse on a lossy log', () => {
  it.each([1, 2, 3, 4])('tells each statement once over crashes at any moment (seed %i)', async (seed) => {
    const { clock, world, warehouse } = await opened(seed);
    let running: Running = world.start(warehouse.source());
    await clock.advance(20_000);
    expect(world.leaves('coverage').length).toBeGreaterThan(0);
    const beganMs = clock.nowMs();
    for (let round = 0; round < 60; round += 1) {
      for (let count = world.random.nextInt(0, 5); count > 0; count -= 1) warehouse.run();
      await clock.advance(world.random.nextInt(1, 4_000));
      if (!world.random.chance(0.15)) continue;
      running.client.crash();
      running = world.start(warehouse.source());
    }
    await clock.advance(5 * LAG_MS);
    expect(world.toldIds().sort()).toEqual(warehouse.ran.map(({ id }) => id).sort());
    expect(falseWatermarks(world, warehouse.ran, beganMs)).toEqual([]);
    expect(world.gaps()).toEqual([]);
  });

  it.each([11, 12])('loses nothing between two recorders that take each other over (seed %i)', async (seed) => {
    const { clock, world, warehouse } = await opened(seed);
    world.start(warehouse.source());
    await clock.advance(20_000);
    for (let round = 0; round < 30; round += 1) {
      warehouse.run();
      await clock.advance(world.random.nextInt(1, 3_000));
      if (round % 10 === 4) world.start(warehouse.source());
    }
    await clock.advance(4 * LAG_MS);
    expect([...new Set(world.toldIds())].sort()).toEqual(warehouse.ran.map(({ id }) => id).sort());
  });
});
