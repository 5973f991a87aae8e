// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, it } from '@jest/globals';
import { faultSizes } from './world/config.ts';
import { type ClosedWorld, failsClosed, openClosedWorld } from './world/fail-closed-case.ts';
import { FaultWorld } from './world/fault-world.ts';
import { SecondBroker } from './world/second-broker.ts';

const { failClosedCount, seed, keepsFolder } = faultSizes();
const TEST_MS = 180_000;

let world: FaultWorld;
let second: SecondBroker;
let closed: ClosedWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'unwritable', parts: ['kafka', 'registry'], seed, keepsFolder });
  second = new SecondBroker(world);
  await second.start();
  await second.replicate(world.topics.receipts);
  closed = await openClosedWorld(world, failClosedCount);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

it(
  'nothing passes while receipts cannot be written: fewer replicas in sync than the topic demands',
  async () => {
    await failsClosed(closed, {
      name: 'unwritable',
      strike: async () => {
        await second.kill();
        return Date.now();
      },
      lift: () => second.start(),
    });
  },
  TEST_MS,
);
