// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Answer, Caller, CallerRequest } from './caller.ts';
import type { FaultWorld } from './fault-world.ts';
import { readLogFacts } from './log-facts.ts';
import { NotingUpstream } from './noting-upstream.ts';
import { outagesSince } from './outages.ts';
import { printTable, quantile } from './print-table.ts';
import { activationRequest } from './requests.ts';

const LANE_COUNT = 32;
const IN_FLIGHT = 64;
/** The requests after the moment come within this time. */
const SPREAD_MS = 3_000;
const ANSWER_MS_MAX = 1_200;
const RESUME_MS_MAX = 15_000;
const SETTLE_MS_MAX = 45_000;

/** How a fault comes and goes. Times are of this machine's clock, which is also the broker's. */
export type Fault = {
  readonly name: string;
  /** Brings it; resolves with the moment from which on nothing may pass that had no receipt before. */
  readonly strike: () => Promise<number>;
  /** Ends it; resolves with the moment from which on the broker accepts connections. */
  readonly lift: () => Promise<number>;
};

export type ClosedWorld = {
  readonly world: FaultWorld;
  readonly upstream: NotingUpstream;
  readonly caller: Caller;
  /** Requests of each case; also what one actor may do. */
  readonly count: number;
};

/** Enforcer, intake, an upstream that only notes, and a tenant whose cap each case uses up. */
export async function openClosedWorld(world: FaultWorld, count: number): Promise<ClosedWorld> {
  const upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: `crm=${upstream.url}` } });
  await Promise.all([world.service('enforcer').start(), intake.start()]);
  await world.openTenant(count);
  return { world, upstream, caller: world.caller(count), count };
}

type Sent = { readonly request: CallerRequest; readonly answer: Answer };

/**
 * As many requests as the cap lets through, 64 of them on their way when the fault comes, the others right after it:
 * none passes without a receipt from before, each caller hears so in time, and afterwards the same keys have one effect
 * each and fill the cap exactly.
 */
export async function failsClosed(closed: ClosedWorld, fault: Fault): Promise<void> {
  const { world, upstream, caller, count } = closed;
  await resumes(caller, `${fault.name}-before`, performance.now() + RESUME_MS_MAX);
  const requests = Array.from({ length: count }, (_, index) => activationRequest(`${fault.name}-${index}`, fault.name));
  const { sent, momentMs } = await strikeUnder(caller, fault, requests);
  const arrivedBefore = new Set(upstream.arrivals.map(({ eventId }) => eventId));
  const liftedAtMs = await fault.lift();
  const resumedMs = await resumes(caller, `${fault.name}-after`, performance.now() + SETTLE_MS_MAX).then(
    () => Date.now() - liftedAtMs,
  );
  const refused = sent.filter(({ answer }) => answer.status !== 201);
  const settleMs = await sendUntilAllowed(
    caller,
    refused.map(({ request }) => request),
  );
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
    ['requests', count],
    ['of these in flight at the moment', IN_FLIGHT],
    ['allowed, with a receipt from before it', sent.length - refused.length],
    ['answered 503', refused.length],
    ['reached the upstream without a receipt', late.length],
    ['503 after, p99', `${quantile(times, 0.99).toFixed(0)} ms`],
    ['503 after, at most', `${Math.max(0, ...times).toFixed(0)} ms`],
    ['service again after', `${resumedMs} ms`],
    ['all keys used again after', `${settleMs.toFixed(0)} ms`],
  ]);

  expect(refused.length).toBeGreaterThanOrEqual(count - IN_FLIGHT);
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
  expect(own.length).toBe(count);
  expect(extra.code).toBe('CLY_VELOCITY_EXCEEDED');
  // The tenant's log says when nothing was decided, and for how many.
  const outages = await outagesSince(world, momentMs);
  expect(outages.map(({ component }) => component).join()).toMatch(/^(?:log|enforcer)/);
  expect(outages[0]?.changes_refused).toBeGreaterThan(0);
  expect(outages[0]?.failed_at).toBeLessThanOrEqual(liftedAtMs);
  expect(outages[0]?.restored_at).toBeGreaterThanOrEqual(momentMs);
}

/** 64 at once, the fault while they are on their way, the others after it. */
async function strikeUnder(caller: Caller, fault: Fault, requests: readonly CallerRequest[]) {
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
async function resumes(caller: Caller, name: string, endMs: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { status, code } = await caller.send(activationRequest(`${name}-${attempt}`, 'probe'));
    if (status === 201) return;
    if (performance.now() > endMs) throw new Error(`no request was allowed again: ${status} ${code}`);
    await pause(100);
  }
}

/** The same keys under new nonces, as callers do; resolves with how long it took until all were allowed. */
async function sendUntilAllowed(caller: Caller, requests: readonly CallerRequest[]): Promise<number> {
  const startMs = performance.now();
  let left = requests;
  while (left.length > 0) {
    const answers = await inLanes(caller, left);
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

async function inLanes(caller: Caller, requests: readonly CallerRequest[]): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  const queue = [...requests];
  const lane = async (): Promise<void> => {
    for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
      sent.push({ request, answer: await caller.send(request) });
    }
  };
  await Promise.all(Array.from({ length: LANE_COUNT }, lane));
  return sent;
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}
