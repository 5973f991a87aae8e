// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AvroCodec } from '@clyra/adapter-avro/avro-codec';
import type { AvroRecordSchema } from '@clyra/adapter-avro/avro-schema';
import { registerSchemas } from '@clyra/adapter-avro/register-schemas';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { dropDatabase, ensureDatabase } from './postgres/postgres-roles.ts';
import { LOCAL_ADDRESS } from './process/port-holder.ts';
import { type Stack, startStack } from './stack.ts';
import type { StackOptions } from './stack-config.ts';
import { stackStatus } from './stack-status.ts';
import { stopStack } from './stack-stop.ts';

const SCHEMA: AvroRecordSchema = {
  type: 'record',
  name: 'EdgeEnvelope',
  namespace: 'dev.clyra',
  fields: [
    { name: 'schema_fingerprint', type: { type: 'fixed', name: 'SchemaFingerprint', size: 8 } },
    { name: 'body', type: 'bytes' },
  ],
};
const TOPIC = { name: 'edge', partitionCount: 1, replicationFactor: 1, configs: {} };
const DEADLINE_MS = 10_000;
/** The first start on a machine fetches the broker's jars. */
const START_TIMEOUT_MS = 12 * 60_000;

let dataDir: string;
let options: StackOptions;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'clyra-stack-'));
  // PostgreSQL's own user passes through where the tests run as root.
  await chmod(dataDir, 0o755);
  options = { dataDir, portBase: 26_000 + (process.pid % 400) * 5, ownerPid: process.pid };
});

afterAll(async () => {
  await stopStack(dataDir);
  rmSync(dataDir, { recursive: true });
}, START_TIMEOUT_MS);

const registryIds = (stack: Stack) =>
  registerSchemas({ url: stack.connections.registry.url, schemas: [SCHEMA], deadlineMs: DEADLINE_MS });
const logOf = (stack: Stack): KafkaLog =>
  new KafkaLog({ brokers: [stack.connections.kafka.bootstrap], clientId: 'stack-test' });

function sqlOf({ connections }: Stack) {
  if (connections.postgres === undefined) throw new Error('PostgreSQL was not started');
  return openSqlClient({ connection: connections.postgres });
}

/** Processes whose command line names the data folder. */
function processesOf(folder: string): string[] {
  return stackStatus(folder)?.parts.flatMap(({ running, part }) => (running ? [part] : [])) ?? [];
}

describe('the local stack', () => {
  let schemaId: number | undefined;

  it(
    'starts Kafka, registry and PostgreSQL, ready to be used',
    async () => {
      const stack = await startStack(options);
      expect(stack.startedParts).toEqual(['kafka', 'registry', 'postgres']);

      const ids = await registryIds(stack);
      schemaId = ids.get('EdgeEnvelope');
      const value = new AvroCodec({ schemas: [SCHEMA], idOf: ids }).encode('EdgeEnvelope', {
        body: Buffer.from('kept'),
      });
      const kafka = { brokers: [stack.connections.kafka.bootstrap], clientId: 'stack-test' };
      await new KafkaAdmin(kafka).ensureTopics([TOPIC], DEADLINE_MS);
      const appender = logOf(stack).appender('stack-test');
      await appender.append([{ topic: 'edge', partition: 0, records: [{ key: null, value }] }], DEADLINE_MS);
      await appender.close();

      const sql = sqlOf(stack);
      await ensureDatabase(sql, { database: 'shop', owner: 'shop_owner', ownerPassword: "it's", replication: true });
      await ensureDatabase(sql, { database: 'shop', owner: 'shop_owner', ownerPassword: "it's" });
      const { rows } = await sql.query('SHOW wal_level');
      expect(rows).toEqual([{ wal_level: 'logical' }]);
      await sql.close();
    },
    START_TIMEOUT_MS,
  );

  it('does nothing when it runs already, and says no to other ports', async () => {
    expect((await startStack(options)).startedParts).toEqual([]);
    await expect(startStack({ ...options, portBase: 19_000 })).rejects.toMatchObject({ code: 'CLY_STACK_RUNNING' });
  });

  it('stops everything, and keeps the data for the next start', async () => {
    const running = await startStack(options);
    await stopStack(dataDir);
    expect(stackStatus(dataDir)).toBeUndefined();
    await expect(registryIds(running)).rejects.toMatchObject({ code: 'CLY_SCHEMA_REGISTRY_UNREACHABLE' });

    const formattedAtMs = statSync(join(dataDir, 'kafka', 'formatted')).mtimeMs;
    const stack = await startStack(options);
    expect(statSync(join(dataDir, 'kafka', 'formatted')).mtimeMs).toBe(formattedAtMs);
    expect((await registryIds(stack)).get('EdgeEnvelope')).toBe(schemaId);
    const log = logOf(stack);
    expect(await log.endOffsets('edge', DEADLINE_MS)).toEqual([1]);
    await log.close();
    const sql = sqlOf(stack);
    const found = await sql.query("SELECT 1 AS one FROM pg_database WHERE datname = 'shop'");
    expect(found.rowCount).toBe(1);
    await dropDatabase(sql, 'shop');
    await sql.close();
  });

  it('starts again what was killed, and leaves the rest alone', async () => {
    const registry = stackStatus(dataDir)?.parts.find(({ part }) => part === 'registry');
    process.kill(registry?.pid ?? 0, 'SIGKILL');
    await pause(200);
    const stack = await startStack(options);
    expect(stack.startedParts).toEqual(['registry']);
    expect((await registryIds(stack)).get('EdgeEnvelope')).toBe(schemaId);
  });

  it('wipes its data, logs and passwords', async () => {
    await (await startStack(options)).wipe();
    expect(readdirSync(dataDir)).toEqual([]);
  });
});

describe('a start that fails', () => {
  it('names the taken port and its holder, and leaves nothing running', async () => {
    const taken = options.portBase === undefined ? 0 : options.portBase + 3;
    const holder = createServer().listen(taken, LOCAL_ADDRESS);
    await once(holder, 'listening');
    const starting = startStack(options);
    await expect(starting).rejects.toMatchObject({ code: 'CLY_STACK_PORT_TAKEN', context: { holderPid: process.pid } });
    await expect(starting).rejects.toThrow(`port ${taken} (PostgreSQL) is taken by`);
    holder.close();
    expect(processesOf(dataDir)).toEqual([]);
  });

  it('ends the parts that did start when another one does not', async () => {
    // A heap that the broker cannot start in; PostgreSQL comes up meanwhile.
    const starting = startStack({ ...options, kafkaHeapMb: 1 });
    await expect(starting).rejects.toMatchObject({ code: 'CLY_STACK_KAFKA' });
    expect(processesOf(dataDir)).toEqual([]);
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
  });
});

it('a stack ends with its owner, even when that is killed', async () => {
  const owner = spawn('sleep', ['60'], { stdio: 'ignore' });
  const ownerPid = owner.pid ?? 0;
  // In a process of its own, as the processes must not be this one's children.
  const program = fileURLToPath(new URL('./main.ts', import.meta.url));
  const args = ['up', '--data', dataDir, '--port-base', String(options.portBase), '--parts', 'kafka,postgres'];
  const up = spawn(process.execPath, ['--conditions=@clyra/source', program, ...args, '--owner-pid', String(ownerPid)]);
  const [exitCode] = await once(up, 'exit');
  expect(exitCode).toBe(0);
  expect(processesOf(dataDir)).toEqual(['kafka', 'postgres']);
  owner.kill('SIGKILL');
  for (let waitedMs = 0; waitedMs < DEADLINE_MS && stackStatus(dataDir) !== undefined; waitedMs += 100)
    await pause(100);
  expect(stackStatus(dataDir)).toBeUndefined();
  expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);
});
