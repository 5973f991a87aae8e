// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from './world/caller.ts';
import { faultSizes } from './world/config.ts';
import { type ClosedWorld, openClosedWorld } from './world/fail-closed-case.ts';
import { FaultWorld } from './world/fault-world.ts';
import { printTable } from './world/print-table.ts';
import { activationRequest } from './world/requests.ts';

const { duplicateCount, seed, keepsFolder } = faultSizes();
const TEST_MS = 180_000;
const ACTOR = 'repeater';
const ROUNDS_MAX = 5;
const REPEAT = '409 CLY_IDEMPOTENCY_REPEAT';
/** A busy machine may miss the deadline of receipts, and intake then lets fewer in: both are refused and may be sent again. */
const REFUSED = ['503 CLY_RECEIPT_DEADLINE', '503 CLY_INTAKE_BUSY'];
/** What a caller may hear whose request is or was somebody's already. */
const EXPECTED = new Set(['201', REPEAT, '409 CLY_IDEMPOTENCY_IN_FLIGHT', '409 CLY_IDEMPOTENCY_UNKNOWN', ...REFUSED]);

let world: FaultWorld;
let closed: ClosedWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'duplicates', parts: ['kafka', 'registry'], seed, keepsFolder });
  closed = await openClosedWorld(world, duplicateCount);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

const atOnce = (key: string): Promise<Answer[]> =>
  Promise.all(Array.from({ length: duplicateCount }, () => closed.caller.send(activationRequest(key, ACTOR))));
const arrivalsOf = (key: string): number => closed.upstream.arrivals.filter(({ serial }) => serial === key).length;

function counted(answers: readonly Answer[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { status, code } of answers) {
    const name = code === undefined ? String(status) : `${status} ${code}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

function print(title: string, first: ReadonlyMap<string, number>, again: ReadonlyMap<string, number>): void {
  printTable(title, [...first, ...[...again].map(([name, count]) => [`again: ${name}`, count] as const)]);
}

describe('one request, sent many times at once', () => {
  it(
    `has one effect: ${duplicateCount} with one key`,
    async () => {
      const first: Answer[] = [];
      // On a busy machine all of them may miss the deadline of their receipts: refused, and free to be sent again.
      for (let round = 0; arrivalsOf('once') === 0 && round < ROUNDS_MAX; round += 1)
        first.push(...(await atOnce('once')));
      const again = counted(await atOnce('once'));
      print(`${duplicateCount} at once, and again`, counted(first), again);
      expect(arrivalsOf('once')).toBe(1);
      expect([...counted(first).keys()].filter((name) => !EXPECTED.has(name))).toEqual([]);
      // Now it is known how it ended: nobody is told that it has just happened.
      expect(again.get(REPEAT)).toBeGreaterThan(0);
      expect([...again.keys()].filter((name) => ![REPEAT, ...REFUSED].includes(name))).toEqual([]);
    },
    TEST_MS,
  );

  it(
    'has at most one effect when intake is killed in the middle of it, and says so when it cannot know',
    async () => {
      const sent = atOnce('killed');
      const intake = world.service('intake');
      await intake.kill();
      const first = counted(await sent);
      await intake.start();
      const again = counted(await atOnce('killed'));
      print('killed, and again', first, again);
      expect(arrivalsOf('killed')).toBeLessThanOrEqual(1);
      expect([...again.keys()].filter((name) => !EXPECTED.has(name))).toEqual([]);
    },
    TEST_MS,
  );
});
