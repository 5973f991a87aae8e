// SPDX-License-Identifier: Apache-2.0
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { createCrmTables } from '@clyra/scenario-activation/crm-tables';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from './world/caller.ts';
import { faultSizes } from './world/config.ts';
import { FaultWorld } from './world/fault-world.ts';
import { NotingUpstream } from './world/noting-upstream.ts';
import { activationRequest } from './world/requests.ts';
import type { ServiceProcess } from './world/service-process.ts';
import { spareWorldPort } from './world/world-ports.ts';

const { seed, keepsFolder } = faultSizes();
const TEST_MS = 120_000;
const START_DEADLINE_MS = '2000';
const CANNOT_START = 2;

let world: FaultWorld;
let caller: Caller;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'outage', seed, keepsFolder });
  const upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  world.service('intake', { env: { CLYRA_UPSTREAMS: `crm=${upstream.url}` } });
  caller = world.caller(4);
}, TEST_MS);

afterAll(() => world?.close(), TEST_MS);

// The cases follow each other: each begins with what the one before it left running.
describe('what a service cannot do without', () => {
  it('the broker is down at the start: says so, waits, and starts when it comes', brokerAtStart, TEST_MS);
  it('the broker stays away: the start ends at its deadline and says why', brokerStaysAway, TEST_MS);
  it('the registry goes away later: what is known goes on', registryLater, TEST_MS);
  it('the registry is down at the start: says so, waits, and starts when it comes', registryAtStart, TEST_MS);
  it('PostgreSQL is down at the start: the recorder says so and begins when it comes', postgresAtStart, TEST_MS);
  it('PostgreSQL goes away later: the recorder says so and goes on when it comes back', postgresLater, TEST_MS);
});

async function brokerAtStart(): Promise<void> {
  await world.stackPart('kafka').kill();
  const services = (['enforcer', 'intake', 'bundler', 'recorder'] as const).map((name) => world.service(name));
  for (const service of services) service.spawn();
  await Promise.all(services.map((service) => says(service, 'kafka')));
  await world.stackPart('kafka').restart();
  await Promise.all(services.map((service) => service.ready()));
  await world.openTenant(1_000);
  expect((await caller.send(activationRequest('broker-at-start', 'bot'))).status).toBe(201);
}

async function brokerStaysAway(): Promise<void> {
  const port = spareWorldPort(world.parts.portBase, 1);
  const env = {
    CLYRA_HTTP_PORT: String(port),
    CLYRA_KAFKA_BROKERS: `127.0.0.1:${port + 1}`,
    CLYRA_START_DEADLINE_MS: START_DEADLINE_MS,
  };
  const lonely = world.service('enforcer', { name: 'enforcer-2', env });
  lonely.spawn();
  expect(await lonely.exitCode(30_000)).toBe(CANNOT_START);
  expect(lonely.log).toContain('CLY_SERVICE_DEPENDENCY: kafka did not answer within 2000 ms');
}

async function registryLater(): Promise<void> {
  await world.stackPart('registry').kill();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => caller.send(activationRequest(`no-registry-${index}`, 'bot'))),
  );
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
}

async function registryAtStart(): Promise<void> {
  const services = (['enforcer', 'bundler'] as const).map((name) => world.service(name));
  await Promise.all(services.map((service) => service.kill()));
  for (const service of services) service.spawn();
  await Promise.all(services.map((service) => says(service, 'schema registry')));
  const closed = await caller.send(activationRequest('registry-at-start', 'bot'));
  expect({ status: closed.status, hasId: closed.eventId !== undefined }).toEqual({ status: 503, hasId: true });
  await world.stackPart('registry').restart();
  await Promise.all(services.map((service) => service.ready()));
  await allowed('registry-at-start');
}

async function postgresAtStart(): Promise<void> {
  await world.makeDatabase();
  await makeTables();
  await world.addSource();
  await world.stackPart('postgres').stop();
  const recorder = world.service('recorder');
  await recorder.kill();
  recorder.spawn();
  await says(recorder, 'CLY_SOURCE_UNREACHABLE');
  await world.stackPart('postgres').restart();
  await recorder.ready();
  await recordsAgain(Date.now());
}

async function postgresLater(): Promise<void> {
  await world.stackPart('postgres').kill();
  await says(world.service('recorder'), 'CLY_SOURCE_UNREACHABLE');
  expect((await caller.send(activationRequest('postgres-later', 'bot'))).status).toBe(201);
  await world.stackPart('postgres').restart();
  await world.service('recorder').ready();
  await recordsAgain(Date.now());
}

/** Not ready, and this name or code is among the reasons. */
async function says(service: ServiceProcess, what: string): Promise<void> {
  await service.until(`waiting for ${what}`, (answer) => {
    const reasons = answer?.reasons.map(({ name, reason }) => `${name}: ${reason}`) ?? [];
    return answer?.ready === false && reasons.some((reason) => reason.includes(what) && !reason.includes('not asked'));
  });
}

/** The same key again, as a caller does. */
async function allowed(key: string): Promise<void> {
  const endMs = performance.now() + 15_000;
  for (;;) {
    const { status, code } = await caller.send(activationRequest(key, 'bot'));
    if (status === 201) return;
    if (performance.now() > endMs) throw new Error(`not allowed again: ${status} ${code}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Everything up to this moment of the database's clock, which is this machine's, is published. */
async function recordsAgain(sinceMs: number): Promise<void> {
  const endMs = performance.now() + 30_000;
  for (;;) {
    const response = await fetch(`${world.service('recorder').url}/v1/status`);
    const { sources } = (await response.json()) as { readonly sources: readonly { covers_until: number | null }[] };
    if ((sources[0]?.covers_until ?? 0) >= sinceMs) return;
    if (performance.now() > endMs) throw new Error(`nothing is recorded again: ${JSON.stringify(sources)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function makeTables(): Promise<void> {
  const sql = openSqlClient({ connection: world.database, connectionsMax: 1 });
  await createCrmTables(sql);
  await sql.close();
}
