// SPDX-License-Identifier: Apache-2.0

import { ClyraError } from '@clyra/core/kernel/error';
import { sleep } from '@clyra/core/ports/clock';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BatchingAppender } from './batching-appender.ts';

const TOPIC = 'changes';
const PARTITION_COUNT = 3;
const RUN_COUNT = 200;

type Item = { readonly id: number; readonly partition: number };
type Outcome = Item & { readonly offset?: number; readonly code?: string };

const plans = fc.record({
  seed: fc.nat(),
  sends: fc.constantFrom('per-partition' as const, 'together' as const),
  itemCount: fc.integer({ min: 1, max: 120 }),
  faults: fc.record({
    lostResponseShare: fc.double({ min: 0, max: 0.4, noNaN: true }),
    lostRequestShare: fc.double({ min: 0, max: 0.3, noNaN: true }),
    refusedShare: fc.double({ min: 0, max: 0.3, noNaN: true }),
  }),
  freezes: fc.boolean(),
  withDeadlines: fc.boolean(),
});

type Plan = typeof plans extends fc.Arbitrary<infer T> ? T : never;

describe('whatever the log does', () => {
  it('what is acknowledged is stored there, what was not sent is nowhere, and the order is kept', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (plan) => {
        const { log, outcomes, sealedIds } = await run(plan);
        expect(outcomes.length).toBe(plan.itemCount);
        expect(new Set(sealedIds).size).toBe(sealedIds.length);
        for (let partition = 0; partition < PARTITION_COUNT; partition += 1) {
          const stored = log.recordsOf(TOPIC, partition).map(({ value }) => idOf(value));
          const mine = outcomes.filter((outcome) => outcome.partition === partition);
          const acknowledged = mine.filter(({ offset }) => offset !== undefined);
          expect(acknowledged.filter(({ id, offset }) => stored[offset as number] !== id)).toEqual([]);
          expect(mine.filter(({ id, code }) => code === 'CLY_LOG_APPEND_NOT_SENT' && stored.includes(id))).toEqual([]);
          const acknowledgedIds = new Set(acknowledged.map(({ id }) => id));
          const firstSeen = [...new Set(stored)].filter((id) => acknowledgedIds.has(id));
          expect(firstSeen).toEqual([...acknowledgedIds]);
        }
        if (!plan.withDeadlines) expect(outcomes.filter(({ code }) => code !== undefined)).toEqual([]);
      }),
      { numRuns: RUN_COUNT },
    );
  });
});

async function run({ seed, sends, itemCount, faults, freezes, withDeadlines }: Plan) {
  const clock = new SimClock();
  const random = new SeededRandom(seed);
  const log = new SimLog({ clock, random, faults });
  log.createTopic(TOPIC, PARTITION_COUNT);
  const sealedIds: number[] = [];
  const appender = new BatchingAppender<Item>({
    log,
    clock,
    name: 'prop',
    topic: TOPIC,
    sends,
    seal: (items) => {
      sealedIds.push(...items.map(({ id }) => id));
      return items.map(({ id }) => ({ key: null, value: Uint8Array.of(id) }));
    },
    sizeOf: () => 1,
    limits: { sendItemsMax: 16, sendTimeoutMs: 300 },
  });
  if (freezes) {
    clock.after(random.nextInt(0, 200), () => log.freeze());
    clock.after(random.nextInt(300, 2_000), () => log.thaw());
  }
  const outcomes: Promise<Outcome>[] = [];
  const enqueueAll = async () => {
    for (let id = 0; id < itemCount; id += 1) {
      const item = { id, partition: random.nextInt(0, PARTITION_COUNT - 1) };
      const deadlineMs = withDeadlines ? random.nextInt(1, 1_500) : Number.POSITIVE_INFINITY;
      outcomes.push(outcomeOf(item, appender.enqueue(item, item.partition, deadlineMs)));
      if (random.chance(0.5)) await sleep(clock, random.nextInt(0, 10));
    }
    return Promise.all(outcomes);
  };
  const settled = await clock.drive(enqueueAll());
  log.setFaults({ lostResponseShare: 0, lostRequestShare: 0, refusedShare: 0 });
  await clock.drive(appender.close(10_000));
  await clock.runUntilIdle();
  expect(appender.heldCount).toBe(0);
  return { log, outcomes: settled, sealedIds };
}

async function outcomeOf(item: Item, appended: Promise<{ readonly offset: number }>): Promise<Outcome> {
  try {
    return { ...item, offset: (await appended).offset };
  } catch (error) {
    if (!(error instanceof ClyraError)) throw error;
    return { ...item, code: error.code };
  }
}

function idOf(value: Uint8Array | null): number {
  return value?.[0] ?? -1;
}
