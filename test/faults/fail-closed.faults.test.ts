// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer, Caller, CallerRequest } from './world/caller.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { readLogFacts } from './world/log-facts.ts';
import { NotingUpstream } from './world/noting-upstream.ts';
import { printTable, quantile } from './world/print-table.ts';
import { activationRequest } from './world/requests.ts';

const { failClosedCount: COUNT, seed, keepsFolder } = faultSizes();
const IN_FLIGHT = 64;
/** The requests after the moment come within this time. */
const SPREAD_MS = 3_000;
const ANSWER_MS_MAX = 1_200;
const RESUME_MS_MAX = 15_000;
const SETTLE_MS_MAX = 45_000;
const TEST_MS = 180_000;

/** How a fault comes and goes. Times are of this machine's clock, which is also the broker's. */
type Fault = {
  readonly name: string;
  /** Brings it; resolves with the moment from which on nothing may pass that had no receipt before. */
  readonly strike: () => Promise<number>;
  /** Ends it; resolves with the moment from which on the broker accepts connections and writes. */
  readonly lift: () => Promise<number>;
};

let world: FaultWorld;
let upstream: NotingUpstream;
let caller: Caller;

beforeAll(async () => {
  world = await FaultWorld.start({
    name: 'closed',
    parts: ['kafka', 'registry'],
    actionsMax: COUNT,
    seed,
    keepsFolder,
  });
  upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  caller = world.caller(COUNT);
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: `crm=${upstream.url}` } });
  await Promise.all([world.service('enforcer').start(), intake.start()]);
  await world.openTenant(COUNT);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

describe('without a durable receipt', () => {
  it('nothing passes while the broker is frozen', () => failsClosed(frozen()), TEST_MS);
  it('nothing passes while the broker is stopped', () => failsClosed(stopped()), TEST_MS);
  it('nothing passes while receipts cannot be written', () => failsClosed(unwritable()), TEST_MS);
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
  let gone: Promise<void> | undefined;
  return {
    name: 'stopped',
    // An orderly stop takes a while; the moment is when the process is gone, since until then it may still write.
    strike: async () => {
      gone = broker.kill();
      await gone;
      return Date.now();
    },
    lift: async () => (await broker.restart()).acceptedAtMs,
  };
}

function unwritable(): Fault {
  const admin = new KafkaAdmin({ brokers: world.parts.settings.kafka_brokers, clientId: 'clyra-fault-test' });
  const setMinimum = async (count: number): Promise<number> => {
    await admin.alterConfigs(world.topics.receipts, { 'min.insync.replicas': String(count) }, 10_000);
    return Date.now();
  };
  // The controller answers before the broker has taken the setting over.
  return { name: 'unwritable', strike: async () => (await setMinimum(2)) + 250, lift: () => setMinimum(1) };
}

type Sent = { readonly request: CallerRequest; readonly answer: Answer };

async function failsClosed(fault: Fault): Promise<void> {
  await resumes(`${fault.name}-before`, performance.now() + RESUME_MS_MAX);
  const requests = Array.from({ length: COUNT }, (_, index) => activationRequest(`${fault.name}-${index}`, fault.name));
  const { sent, momentMs } = await strikeUnder(fault, requests);
  const arrivedBefore = new Set(upstream.arrivals.map(({ eventId }) => eventId));
  const liftedAtMs = await fault.lift();
  const resumedMs = await resumes(`${fault.name}-after`, performance.now() + SETTLE_MS_MAX).then(
    () => Date.now() - liftedAtMs,
  );
  const refused = sent.filter(({ answer }) => answer.status !== 201);
  const settleMs = await sendUntilAllowed(refused.map(({ request }) => request));
  const extra = await caller.send(activationRequest(`${fault.name}-over`, fault.name));

  const facts = await readLogFacts(world);
  const receiptAtMs = new Map(facts.receipts.map(({ body, appendTimeMs }) => [body['event_id'], appendTimeMs]));
  const keys = new Set(requests.map(({ idempotencyKey }) => idempotencyKey));
  const own = upstream.arrivals.filter(({ serial }) => keys.has(serial));
  const late = own
    .filter(({ eventId, atMs }) => atMs > momentMs && arrivedBefore.has(eventId))
    .filter(({ eventId }) => (receiptAtMs.get(eventId) ?? Number.POSITIVE_INFINITY) > momentMs);
  const times = refused.map(({ answer }) => answer.tookMs);
  printTable(`Fail closed: the broker is ${fault.name}`, [
    ['requests', COUNT],
    ['of these in flight at the moment', IN_FLIGHT],
    ['allowed, with a receipt from before it', sent.length - refused.length],
    ['answered 503', refused.length],
    ['reached the upstream without a receipt', late.length],
    ['503 after, p99', `${quantile(times, 0.99).toFixed(0)} ms`],
    ['503 after, at most', `${Math.max(0, ...times).toFixed(0)} ms`],
    ['service again after', `${resumedMs} ms`],
    ['all keys used again after', `${settleMs.toFixed(0)} ms`],
  ]);

  expect(refused.length).toBeGreaterThanOrEqual(COUNT - IN_FLIGHT);
  expect(late).toEqual([]);
  expect(countBy(refused, ({ answer }) => `${answer.status} ${answer.eventId === undefined ? 'no id' : 'id'}`)).toEqual(
    {
      '503 id': refused.length,
    },
  );
  expect(Math.max(0, ...times)).toBeLessThanOrEqual(ANSWER_MS_MAX);
  expect(resumedMs).toBeLessThanOrEqual(RESUME_MS_MAX);
  // Each key had its one effect, and the cap was reached by effects alone: what was refused had been given back.
  expect(new Set(own.map(({ serial }) => serial)).size).toBe(own.length);
  expect(own.length).toBe(COUNT);
  expect(extra.code).toBe('CLY_VELOCITY_EXCEEDED');
}

/** 64 at once, the fault while they are on their way, the others after it. */
async function strikeUnder(fault: Fault, requests: readonly CallerRequest[]) {
  const send = async (request: CallerRequest): Promise<Sent> => ({ request, answer: await caller.send(request) });
  const flights = requests.slice(0, IN_FLIGHT).map(send);
  await pause(3);
  const momentMs = await fault.strike();
  const rest = requests.slice(IN_FLIGHT);
  for (const [index, request] of rest.entries()) {
    const dueMs = momentMs + (index * SPREAD_MS) / rest.length;
    if (Date.now() < dueMs) await pause(dueMs - Date.now());
    flights.push(send(request));
  }
  return { sent: await Promise.all(flights), momentMs };
}

/** Resolves with the first allowed request, tried every 100 ms under keys of its own. */
async function resumes(name: string, endMs: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { status, code } = await caller.send(activationRequest(`${name}-${attempt}`, 'probe'));
    if (status === 201) return;
    if (performance.now() > endMs) throw new Error(`no request was allowed again: ${status} ${code}`);
    await pause(100);
  }
}

/** The same keys under new nonces, as callers do; resolves with how long it took until all were allowed. */
async function sendUntilAllowed(requests: readonly CallerRequest[]): Promise<number> {
  const startMs = performance.now();
  let left = requests;
  while (left.length > 0) {
    const answers = await inLanes(left, 32);
    left = answers.filter(({ answer }) => answer.status !== 201).map(({ request }) => request);
    if (left.length === 0) break;
    if (performance.now() - startMs > SETTLE_MS_MAX) {
      const why = countBy(answers, ({ answer }) => `${answer.status} ${answer.code ?? ''}`);
      throw new Error(`keys or counts were not returned: ${JSON.stringify(why)}`);
    }
    await pause(500);
  }
  return performance.now() - startMs;
}

async function inLanes(requests: readonly CallerRequest[], laneCount: number): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const queue = [...requests];
  const lane = async (): Promise<void> => {
    for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
      sent.push({ request, answer: await caller.send(request) });
    }
  };
  await Promise.all(Array.from({ length: laneCount }, lane));
  return sent;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}
