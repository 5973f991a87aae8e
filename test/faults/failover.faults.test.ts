// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { keyFileOf } from '@clyra/cli/local/layout';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { refold } from '../oracle/refold.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { type LogFacts, LogFollower } from './world/log-facts.ts';
import { NotingUpstream } from './world/noting-upstream.ts';
import { printTable, quantile } from './world/print-table.ts';
import { RequestForge } from './world/request-forge.ts';
import { activationRequest } from './world/requests.ts';
import { spareWorldPort } from './world/world-ports.ts';

const { failoverSeconds, seed, keepsFolder } = faultSizes();
const RATE = 520;
const KILL_COUNT = 5;
const LATE_MS_MAX = 500;
/** What is measured before the first kill. */
const QUIET_MS = 5_000;
const SEND_EVERY_MS = 10;
const SETTLE_MS_MAX = 30_000;
const START_MS = 180_000;
const TEST_MS = 240_000;

let world: FaultWorld;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'failover', parts: ['kafka', 'registry'], seed, keepsFolder });
  const upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: `crm=${upstream.url}` } });
  const secondEnv = { CLYRA_PUBLISH_DELAY_MS: '50', CLYRA_HTTP_PORT: String(spareWorldPort(world.parts.portBase, 1)) };
  const second = world.service('enforcer', { name: 'enforcer-2', env: secondEnv });
  await Promise.all([world.service('enforcer').start(), second.start(), intake.start()]);
  await world.openTenant(100_000);
  const answer = await world.caller(1).send(activationRequest('model', 'bot'));
  expect(answer.status).toBe(201);
  // The changes come straight onto the log from here on: the gateway's own work would only take the machine's time.
  await intake.end('SIGTERM');
}, START_MS);

afterAll(() => world?.close(), START_MS);

it('a second replica publishes what a killed one leaves, without a gap', failoverTest, TEST_MS);

async function failoverTest(): Promise<void> {
  const signer = await fileSigner(keyFileOf(world.parts.local.layout, 'intake'));
  const forge = await RequestForge.open(world, signer);
  const state = { isOver: false };
  const sending = sendAtRate(forge, state);
  await pause(QUIET_MS);
  const kills = await killPublisher();
  await pause(1_000);
  state.isOver = true;
  const sentCount = await sending;
  const { delays, missingCount } = await receiptDelays();

  const firstKillMs = kills[0]?.atMs ?? 0;
  const before = delays.filter(({ atMs }) => atMs < firstKillMs).map(({ delayMs }) => delayMs);
  const after = delays.filter(({ atMs }) => atMs >= firstKillMs).map(({ delayMs }) => delayMs);
  const figures = (values: readonly number[]): string =>
    `p50 ${quantile(values, 0.5)} ms, p99 ${quantile(values, 0.99)} ms, at most ${Math.max(0, ...values)} ms`;
  const spanMs = (delays.at(-1)?.atMs ?? 0) - (delays[0]?.atMs ?? 0);
  printTable('Fail-over: two replicas, the publishing one killed', [
    ['changes', `${sentCount}, ${((sentCount * 1_000) / spanMs).toFixed(0)}/s`],
    ['kills', kills.map(({ backAfterMs }) => `back after ${(backAfterMs / 1_000).toFixed(1)} s`).join(', ')],
    ['receipt after append, before the first kill', figures(before)],
    ['receipt after append, from the first kill on', figures(after)],
    [`later than ${LATE_MS_MAX} ms`, after.filter((delayMs) => delayMs > LATE_MS_MAX).length],
    ['without a receipt', missingCount],
  ]);

  expect((sentCount * 1_000) / spanMs).toBeGreaterThanOrEqual(500);
  expect(missingCount).toBe(0);
  const { log, codec, topics } = world;
  expect((await refold({ log, codec, topics, blobs: world.parts.local.blobs })).problems).toEqual([]);
  expect(Math.max(0, ...delays.map(({ delayMs }) => delayMs))).toBeLessThanOrEqual(LATE_MS_MAX);
}

type Kill = { readonly atMs: number; readonly backAfterMs: number };

/** The replica without a delay is the one that publishes, whenever it runs: it is killed, and comes back. */
async function killPublisher(): Promise<readonly Kill[]> {
  const kills: Kill[] = [];
  const everyMs = (failoverSeconds * 1_000) / KILL_COUNT;
  for (let count = 0; count < KILL_COUNT; count += 1) {
    const atMs = Date.now();
    await world.service('enforcer').kill();
    await world.service('enforcer').start();
    kills.push({ atMs, backAfterMs: Date.now() - atMs });
    await pause(Math.max(0, everyMs - (Date.now() - atMs)));
  }
  return kills;
}

async function sendAtRate(forge: RequestForge, state: { readonly isOver: boolean }): Promise<number> {
  const appender = world.log.appender('fault-test-changes');
  const startMs = performance.now();
  let sentCount = 0;
  while (!state.isOver) {
    const dueCount = Math.floor(((performance.now() - startMs) / 1_000) * RATE) - sentCount;
    if (dueCount > 0) {
      const { partition } = forge;
      const records = await forge.make(Math.min(dueCount, 256));
      await appender.append([{ topic: world.topics.changes, partition, records }], 10_000);
      sentCount += records.length;
    }
    await pause(SEND_EVERY_MS);
  }
  await appender.close();
  return sentCount;
}

/** From the append of a forged change to the append of its first receipt, both by the broker's clock. */
async function receiptDelays() {
  const { changes, receipts } = await allReceipts();
  const receiptAtMs = new Map(receipts.map(({ position, appendTimeMs }) => [position, appendTimeMs]));
  const forged = changes.filter(({ body }) => body['kind'] === 'change.requested');
  const delays = forged.flatMap(({ position, appendTimeMs }) => {
    const atMs = receiptAtMs.get(position);
    return atMs === undefined ? [] : [{ atMs: appendTimeMs, delayMs: atMs - appendTimeMs }];
  });
  return { delays: delays.slice(1), missingCount: forged.length - delays.length };
}

async function allReceipts(): Promise<LogFacts> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  const follower = new LogFollower(world);
  for (;;) {
    const facts = await follower.read();
    if (facts.changes.length === facts.receipts.length || performance.now() > endMs) return facts;
    await pause(500);
  }
}
