// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { faultSizes } from './world/config.ts';
import { type ClosedWorld, type Fault, failsClosed, openClosedWorld } from './world/fail-closed-case.ts';
import { FaultWorld } from './world/fault-world.ts';

const { failClosedCount, seed, keepsFolder } = faultSizes();
const TEST_MS = 180_000;

let world: FaultWorld;
let closed: ClosedWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'closed', parts: ['kafka', 'registry'], seed, keepsFolder });
  closed = await openClosedWorld(world, failClosedCount);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

describe('without a durable receipt', () => {
  it('nothing passes while the broker is frozen', () => failsClosed(closed, frozen()), TEST_MS);
  it('nothing passes while the broker is stopped', () => failsClosed(closed, stopped()), TEST_MS);
});

function frozen(): Fault {
  const broker = world.stackPart('kafka');
  return {
    name: 'frozen',
    strike: async () => {
      broker.freeze();
      return Date.now();
    },
    lift: async () => {
      broker.thaw();
      return Date.now();
    },
  };
}

function stopped(): Fault {
  const broker = world.stackPart('kafka');
  return {
    name: 'stopped',
    // An orderly stop takes a while, in which the broker may still write: the moment is when it is gone.
    strike: async () => {
      await broker.stop();
      return Date.now();
    },
    lift: async () => (await broker.restart()).acceptedAtMs,
  };
}
