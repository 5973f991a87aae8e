// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { parseRecord } from '@clyra/core/canonical/record';
import { startCrm } from '@clyra/scenario-activation/crm-server';
import { readTopic } from '@clyra/testing/read-topic';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refold } from '../oracle/refold.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { type LogFacts, LogFollower } from './world/log-facts.ts';
import { type Persistence, sendAll } from './world/persistent-callers.ts';
import { printTable } from './world/print-table.ts';
import { activationRequest } from './world/requests.ts';
import { WORLD_PARTITION } from './world/world-policy.ts';
import { PROXIED } from './world/world-ports.ts';

const { lossCount: COUNT, seed, keepsFolder } = faultSizes();
const RATE = 220;
/** Of the size of two cores: what comes back after an outage is turned away at the door, and not decided too late. */
const IN_FLIGHT_MAX = '400';
const LOST_RESPONSE_SHARE = 0.1;
const ACTOR_COUNT = 16;
const KILLS = ['enforcer', 'kafka', 'enforcer', 'kafka', 'enforcer'] as const;
const START_MS = 180_000;
const TEST_MS = 240_000 + COUNT * 30;
const SETTLE_MS_MAX = 90_000;

let world: FaultWorld;
let sql: SqlClient;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'loss', proxied: PROXIED, seed, keepsFolder });
  await world.makeDatabase();
  const crm = await startCrm({ connection: world.database, host: '127.0.0.1', port: 0, connectionsMax: 8 });
  world.onClose(() => crm.close());
  sql = openSqlClient({ connection: world.database, connectionsMax: 1 });
  world.onClose(() => sql.close());
  const upstreams = `crm=${crm.url}`;
  const intake = world.service('intake', { env: { CLYRA_UPSTREAMS: upstreams, CLYRA_IN_FLIGHT_MAX: IN_FLIGHT_MAX } });
  await Promise.all([world.service('enforcer').start(), world.service('bundler').start(), intake.start()]);
  await world.openTenant(100_000);
  await world.addSource();
  await world.service('recorder').start();
  await sourceIsRecorded();
}, START_MS);

afterAll(() => world?.close(), START_MS);

describe('a log that loses answers, with processes that are killed', () => {
  it('decides each change once, and makes each allowed effect once', lossTest, TEST_MS);
});

async function lossTest(): Promise<void> {
  for (const proxy of world.proxies.values()) proxy.setFaults({ lostResponseShare: LOST_RESPONSE_SHARE });
  const requests = Array.from({ length: COUNT }, (_, index) =>
    activationRequest(`c-${index}`, `actor-${index % ACTOR_COUNT}`),
  );
  const startMs = performance.now();
  const sending = sendAll(world.caller(), requests, RATE);
  const [sent, killNotes] = await Promise.all([sending, killOnTheWay((COUNT / RATE) * 1_000)]);
  const tookMs = performance.now() - startMs;
  const follower = new LogFollower(world);
  await settled(follower);
  await world.service('intake').end('SIGTERM');
  const facts = await settled(follower);
  printTable(`Loss (seed ${seed})`, tableOf(sent, { facts, killNotes, tookMs }));

  expect(await refoldProblems()).toEqual([]);
  expectOneReceiptForEach(facts);
  await expectOneEffectForEach(sent, facts);
  await observed();
  expect(sent.allowedEventIds.size).toBeGreaterThanOrEqual(COUNT * 0.9);
}

/** One after the other, spread over the sending; each ends when the service is there again. */
async function killOnTheWay(sendingMs: number): Promise<readonly string[]> {
  const startMs = performance.now();
  const notes: string[] = [];
  for (const [index, victim] of KILLS.entries()) {
    const dueMs = ((index + 0.5) / KILLS.length) * sendingMs - (performance.now() - startMs);
    if (dueMs > 0) await pause(dueMs);
    const killedMs = performance.now();
    if (victim === 'kafka') {
      await world.stackPart('kafka').kill();
      await world.stackPart('kafka').restart();
    } else {
      await world.service(victim).kill();
      await world.service(victim).start();
    }
    const at = ((killedMs - startMs) / 1_000).toFixed(1);
    notes.push(`${victim} at ${at} s for ${((performance.now() - killedMs) / 1_000).toFixed(1)} s`);
  }
  return notes;
}

/** Waits until every change has its receipt and every allowed change its outcome. */
async function settled(follower: LogFollower): Promise<LogFacts> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const facts = await follower.read();
    const open = facts.changes.length - facts.receipts.length;
    const outcomes = outcomesOf(facts);
    const waiting = [...allowedIds(facts)].filter((id) => !outcomes.has(id)).length;
    if (open === 0 && waiting === 0) return facts;
    if (performance.now() > endMs) {
      throw new Error(`${open} changes have no receipt, ${waiting} allowed changes no outcome`);
    }
    await pause(500);
  }
}

/** Waits until the recorder has told of every row, and the bundler has put every record into its journal. */
async function observed(): Promise<void> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const rowCount = (await rows()).length;
    const transactions = await observedTransactions();
    const behind = await bundlerBehind();
    if (transactions === rowCount && behind === undefined) return;
    if (performance.now() > endMs) throw new Error(`${transactions} of ${rowCount} rows are observed; ${behind}`);
    await pause(500);
  }
}

/** A row that was written before the slot was made belongs to nobody. */
async function sourceIsRecorded(): Promise<void> {
  const endMs = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const response = await fetch(`${world.service('recorder').url}/v1/status`);
    const { sources } = (await response.json()) as { readonly sources: readonly { covers_until: number | null }[] };
    if (sources[0]?.covers_until != null) return;
    if (performance.now() > endMs) throw new Error('the recorder does not record its source');
    await pause(100);
  }
}

async function observedTransactions(): Promise<number> {
  const ids = new Set<string>();
  for (const { value } of (await readTopic(world.log, world.topics.observations)).flat()) {
    const { body } = await world.codec.decode('ObservationEnvelope', value ?? new Uint8Array());
    const observation = parseRecord(body);
    if (observation['kind'] === 'transaction') ids.add(observation['observation_id'] as string);
  }
  return ids.size;
}

async function bundlerBehind(): Promise<string | undefined> {
  const response = await fetch(`${world.service('bundler').url}/v1/status`, { signal: AbortSignal.timeout(5_000) });
  type Lane = { partition: number; state: string; reason: string | null; sequenced: { changes: number } };
  const { partitions } = (await response.json()) as { readonly partitions: readonly Lane[] };
  const ends = await world.log.endOffsets(world.topics.changes, 10_000);
  const lane = partitions.find(({ partition }) => partition === WORLD_PARTITION);
  const isThere = lane?.state === 'live' && lane.sequenced.changes >= (ends[WORLD_PARTITION] ?? 0) - 1;
  return isThere ? undefined : JSON.stringify(lane);
}

async function refoldProblems(): Promise<readonly string[]> {
  const { log, codec, topics } = world;
  const { problems } = await refold({ log, codec, topics, blobs: world.parts.local.blobs });
  return problems;
}

function expectOneReceiptForEach({ changes, receipts }: LogFacts): void {
  const own = receipts.filter(({ body }) => body['duplicate_of'] === undefined && body['kind'] === 'decided');
  const counts = Map.groupBy(own, ({ body }) => body['event_id'] as string);
  const asked = new Set(changes.filter(({ body }) => body['kind'] === 'change.requested').map(eventIdOf));
  expect([...asked].filter((id) => counts.get(id)?.length !== 1)).toEqual([]);
}

async function expectOneEffectForEach({ allowedEventIds }: Persistence, facts: LogFacts): Promise<void> {
  const effects = await rows();
  const effectIds = effects.map(({ eventId }) => eventId);
  expect(new Set(effectIds).size).toBe(effects.length);
  expect(new Set(effects.map(({ subject }) => subject)).size).toBe(effects.length);
  const allowed = allowedIds(facts);
  const outcomes = outcomesOf(facts);
  const forwarded = [...allowed].filter((id) => outcomes.get(id) === 'done');
  expect([...effectIds].sort()).toEqual(forwarded.sort());
  expect([...allowedEventIds].sort()).toEqual(forwarded);
}

function allowedIds({ receipts }: LogFacts): Set<string> {
  const allowed = receipts.filter(
    ({ body }) =>
      body['change_kind'] === 'change.requested' && body['decision'] === 'allow' && body['duplicate_of'] === undefined,
  );
  return new Set(allowed.map(eventIdOf));
}

/** The first outcome of each change: an outcome may stand in the log twice when its acknowledgement was lost. */
function outcomesOf({ changes }: LogFacts): Map<string, string> {
  const outcomes = new Map<string, string>();
  for (const { body } of changes) {
    const of = body['of'] as string;
    if (body['kind'] === 'change.outcome' && !outcomes.has(of)) outcomes.set(of, body['outcome'] as string);
  }
  return outcomes;
}

function eventIdOf({ body }: LogFacts['changes'][number]): string {
  return body['event_id'] as string;
}

async function rows(): Promise<readonly { readonly eventId: string; readonly subject: string }[]> {
  const text = 'select event_id as "eventId", subject from public.activations';
  return (await sql.query<{ eventId: string; subject: string }>(text)).rows;
}

type Run = { readonly facts: LogFacts; readonly killNotes: readonly string[]; readonly tookMs: number };

function tableOf(sent: Persistence, { facts, killNotes, tookMs }: Run): [string, string | number][] {
  const repeated = facts.receipts.filter(({ body }) => body['duplicate_of'] !== undefined).length;
  return [
    ['changes', COUNT],
    ['sent at', `${RATE}/s, all ended after ${(tookMs / 1_000).toFixed(1)} s`],
    ['ended allowed', `${sent.allowedEventIds.size} (${((100 * sent.allowedEventIds.size) / COUNT).toFixed(1)} %)`],
    ['answers', JSON.stringify(sent.answerCounts)],
    ['killed', killNotes.join(', ')],
    ['changes in the log', `${facts.changes.length}, of these ${repeated} repeated by a lost acknowledgement`],
    ['receipts in the log', `${facts.receipts.length}, and ${facts.duplicateCount} equal copies`],
    ...[...world.proxies].map(([name, { counts }]): [string, string] => [
      `proxy of the ${name}`,
      `${counts.lostResponses} of ${counts.produceRequests} produce responses lost`,
    ]),
  ];
}
