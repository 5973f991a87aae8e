// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { IntentProducer } from '@clyra/producer/intent-producer';
import { brokerJars } from '@clyra/stack/kafka/broker-jars';
import { findJava } from '@clyra/stack/kafka/java';
import { hostEnvironment } from '@clyra/stack/stack-config';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import kafkajs from 'kafkajs';
import { FaultWorld } from '../faults/world/fault-world.ts';
import { NotingUpstream } from '../faults/world/noting-upstream.ts';
import { WORLD_TENANT } from '../faults/world/world-policy.ts';
import { e2eSizes } from './config.ts';
import { REPOSITORY } from './run-clyra.ts';

const START_MS = 180_000;
const EXAMPLE_MS = 60_000;
const run = promisify(execFile);

let world: FaultWorld;
let upstream: NotingUpstream;
let producer: IntentProducer;

beforeAll(async () => {
  world = await FaultWorld.start({ name: 'kafka-door', parts: ['kafka', 'registry'], seed: e2eSizes().seed });
  upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  const env = { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_WINDOW_MS: '3600000' };
  await Promise.all([world.service('intake', { env }).start(), world.service('enforcer').start()]);
  await world.openTenant(1_000);
  const { settings, credential, local } = world.parts;
  producer = await IntentProducer.connect({
    kafka: new kafkajs.Kafka({ brokers: [...settings.kafka_brokers], logLevel: kafkajs.logLevel.NOTHING }),
    tenant: WORLD_TENANT,
    actor: 'sync-job',
    keyId: credential.key_id,
    secret: Buffer.from(credential.secret, 'base64'),
    trustRoot: await readFile(local.layout.trustRootFile, 'utf8'),
  });
  world.onClose(() => producer.close());
}, START_MS);

afterAll(() => world?.close(), START_MS);

const body = (event: string): string => JSON.stringify({ tenant: WORLD_TENANT, event, record: { id: 1 } });

const propose = (serial: string, payload = body(serial)) =>
  producer.propose(
    { method: 'POST', target: `/activations/${serial}`, body: payload, idempotencyKey: serial, key: serial },
    { deadlineMs: 30_000 },
  );

const arrivalsOf = (serial: string): number => upstream.arrivals.filter((arrival) => arrival.serial === serial).length;

/** An example's program: with the environment that its page names. */
async function example(program: string, args: readonly string[]): Promise<JsonObject> {
  const { settings, credential } = world.parts;
  const env = {
    ...process.env,
    KAFKA_BROKERS: settings.kafka_brokers.join(','),
    CLYRA_TENANT: WORLD_TENANT,
    CLYRA_ACTOR: 'sync-job',
    CLYRA_KEY_ID: credential.key_id,
    CLYRA_SECRET: credential.secret,
    NODE_OPTIONS: '',
  };
  const { stdout } = await run(program, [...args], { cwd: REPOSITORY, env, timeout: EXAMPLE_MS });
  return JSON.parse(stdout) as JsonObject;
}

describe('the Kafka door on the real stack', () => {
  it('carries out what the library proposes, and gives it a receipt that the trust root covers', async () => {
    const reply = await propose('lib-1');
    expect(reply).toMatchObject({ state: 'done', isRepeated: false, answer: { status: 201 } });
    expect(reply.receipt).toMatchObject({ decision: 'allow', event_id: reply.eventId, tenant: WORLD_TENANT });
    expect(Buffer.from(reply.answer?.body ?? []).toString()).toBe('{}');
    expect(upstream.arrivals).toMatchObject([{ serial: 'lib-1', eventId: reply.eventId }]);
  });

  it('says why a proposal is blocked', async () => {
    const reply = await propose('lib-2', '{"tenant":"acme","event":5}');
    expect(reply).toMatchObject({ state: 'blocked', problem: { code: 'CLY_SCHEMA_INVALID', status: 422 } });
    expect(reply.receipt).toMatchObject({ decision: 'block' });
    expect(arrivalsOf('lib-2')).toBe(0);
  });

  it('loses and repeats nothing when intake is killed under way', async () => {
    const intake = world.service('intake');
    const serials = Array.from({ length: 30 }, (_, index) => `kill-${index}`);
    const replies = serials.map((serial) => propose(serial));
    await Promise.race(replies);
    await intake.kill();
    await intake.start();
    const states = (await Promise.all(replies)).map(({ state }) => state);
    serials.forEach((serial, index) => {
      const effects = arrivalsOf(serial);
      expect([serial, effects <= 1]).toEqual([serial, true]);
      if (states[index] === 'done') expect([serial, effects]).toEqual([serial, 1]);
      else expect([serial, states[index]]).toEqual([serial, 'unknown']);
    });
    expect(states).toContain('done');
  }, 90_000);

  it('serves plain kafkajs', async () => {
    const args = ['integrations/kafka/propose.mjs', 'POST', '/activations/plain', body('plain')];
    expect(await example(process.execPath, args)).toMatchObject({ state: 'done', answer: { status: 201 } });
    expect(arrivalsOf('plain')).toBe(1);
  }, 90_000);

  it('serves Java', async () => {
    const { javaHome, path } = hostEnvironment();
    const cacheDir = process.env['CLYRA_CACHE_DIR'] ?? join(homedir(), '.clyra');
    const logFile = join(world.parts.folder, 'maven.log');
    const jars = await brokerJars({ cacheDir, path, logFile, onProgress: () => {} });
    const program = ['-cp', `${jars}/*`, 'integrations/kafka/java/Propose.java'];
    const java = await findJava({ javaHome, path });
    const args = [...program, 'POST', '/activations/java', body('java')];
    expect(await example(java, args)).toMatchObject({ state: 'done', answer: { status: 201 } });
    expect(arrivalsOf('java')).toBe(1);
  }, 90_000);
});
