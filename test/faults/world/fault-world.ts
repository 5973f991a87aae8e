// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient } from '@clyra/adapter-postgres/sql-client';
import { addSource } from '@clyra/cli/commands/source';
import { openTenant } from '@clyra/cli/commands/tenant';
import { type Context, contextOf } from '@clyra/cli/context';
import { applyTopics } from '@clyra/cli/local/apply-topics';
import { type Credential, ensureCredential } from '@clyra/cli/local/credentials';
import type { ServiceName } from '@clyra/cli/local/layout';
import { type Local, prepareLocal } from '@clyra/cli/local/prepare-local';
import { LOCAL_HOST, serviceEnvironment } from '@clyra/cli/local/service-plan';
import { type LocalSettings, writeSettings } from '@clyra/cli/local/settings';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import { POSTGRES_SUPERUSER, postgresPassword } from '@clyra/stack/postgres/postgres';
import { ensureDatabase } from '@clyra/stack/postgres/postgres-roles';
import { type Stack, startStack } from '@clyra/stack/stack';
import { type KafkaCompilers, STACK_PARTS, type StackOptions, type StackPart } from '@clyra/stack/stack-config';
import { stackPaths } from '@clyra/stack/stack-paths';
import { LossyProxy } from '@clyra/testing/lossy-proxy';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { Caller } from './caller.ts';
import { ServiceProcess } from './service-process.ts';
import { StackPartHandle } from './stack-part.ts';
import { WORLD_PARTITION, WORLD_TABLE, WORLD_TENANT, writeWorldPolicy } from './world-policy.ts';
import { PROXIED, type ProxiedName, portBaseOf, proxyListener, worldServicePorts } from './world-ports.ts';

export type FaultWorldOptions = {
  readonly name: string;
  /** Services whose connections to the broker go through a proxy of their own. */
  readonly proxied?: readonly ProxiedName[];
  readonly parts?: readonly StackPart[];
  readonly seed: number;
  readonly keepsFolder?: boolean;
  /** As of the stack; a bench wants them all. */
  readonly kafkaCompilers?: KafkaCompilers;
};

type Parts = {
  readonly folder: string;
  readonly portBase: number;
  readonly stack: Stack;
  readonly stackOptions: StackOptions & { readonly dataDir: string };
  readonly local: Local;
  readonly settings: LocalSettings;
  readonly credential: Credential;
  readonly codec: EnvelopeCodec;
  readonly keepsFolder: boolean;
};

const PLACE_ATTEMPT_COUNT = 10;
const DATABASE = 'crm';
const DEADLINE_MS = 60_000;

/**
 * A whole installation for one test file: a stack of its own, and each service a process that the test starts, kills and
 * starts again. Everything ends with `close`, and with the test process however it ends.
 */
export class FaultWorld {
  readonly parts: Parts;
  readonly topics: TopicNames;
  /** Straight to the broker, past every proxy. */
  readonly log: KafkaLog;
  readonly proxies = new Map<ProxiedName, LossyProxy>();
  readonly #services = new Map<string, ServiceProcess>();
  readonly #handles = new Map<StackPart, StackPartHandle>();
  readonly #endings: (() => unknown)[] = [];

  private constructor(parts: Parts) {
    this.parts = parts;
    this.topics = topicNames(parts.settings.topic_prefix);
    this.log = new KafkaLog({ brokers: parts.settings.kafka_brokers, clientId: 'clyra-fault-test' });
    for (const part of STACK_PARTS) {
      const port = parts.stackOptions.ports?.[part] ?? 0;
      this.#handles.set(part, new StackPartHandle(part, { ...parts.stackOptions, port }));
    }
  }

  /** Stack, keys, topics, schemas and proxies; no service yet. */
  static async start(options: FaultWorldOptions): Promise<FaultWorld> {
    const folder = await mkdtemp(join(tmpdir(), `clyra-faults-${options.name}-`));
    // PostgreSQL's own user must pass through.
    await chmod(folder, 0o755);
    const started = await startFreeStack(folder, options);
    try {
      const world = new FaultWorld(await prepareParts(folder, started, options));
      for (const name of options.proxied ?? []) await world.#startProxy(name, options.seed);
      return world;
    } catch (error) {
      await started.stack.wipe();
      throw error;
    }
  }

  get codec(): EnvelopeCodec {
    return this.parts.codec;
  }

  /** The demonstration database, as its owner. */
  get database(): PostgresConnection {
    const { host, port } = this.parts.settings.postgres;
    return { host, port, database: DATABASE, user: DATABASE, password: this.#password };
  }

  stackPart(part: StackPart): StackPartHandle {
    return this.#handles.get(part) as StackPartHandle;
  }

  /** The process of this name, made on first use and not started. A second replica has its own name and port. */
  service(service: ServiceName, extra: { name?: string; env?: Readonly<Record<string, string>> } = {}): ServiceProcess {
    const name = extra.name ?? service;
    const found = this.#services.get(name);
    if (found !== undefined) return found;
    const { local, settings } = this.parts;
    const proxy = this.proxies.get(service as ProxiedName);
    const env = {
      ...serviceEnvironment(service, { layout: local.layout, settings, separation: 'processes', logFormat: 'json' }),
      ...(proxy === undefined ? {} : { CLYRA_KAFKA_BROKERS: `${LOCAL_HOST}:${proxy.port}` }),
      CLYRA_DATA_DIR: join(local.layout.stateDir, name),
      ...extra.env,
    };
    const made = new ServiceProcess({ service, name, env, logFile: join(local.layout.logsDir, `${name}.log`) });
    this.#services.set(name, made);
    return made;
  }

  /** Opens the tenant under the world's policy, which lets one actor do so much in ten minutes. */
  async openTenant(actionsMax: number): Promise<void> {
    const file = join(this.parts.folder, 'policy.json');
    await writeWorldPolicy(file, { actionsMax });
    const code = await openTenant(this.#context(), WORLD_TENANT, { policy: file, partition: WORLD_PARTITION });
    if (code !== 0) throw new Error(`the tenant was not opened: exit code ${code}`);
  }

  /** Makes the demonstration database and registers it. Needs an enforcer and an intake; the recorder starts after it. */
  async addSource(): Promise<void> {
    const { user, password, host, port, database } = this.database;
    const url = `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}`;
    const code = await addSource(this.#context(), 'crm', { tenant: WORLD_TENANT, url, guard: [WORLD_TABLE] });
    if (code !== 0) throw new Error(`the source was not registered: exit code ${code}`);
  }

  async makeDatabase(): Promise<void> {
    const { host, port } = this.parts.settings.postgres;
    const password = this.#password;
    const connection = { host, port, database: 'postgres', user: POSTGRES_SUPERUSER, password };
    const admin = openSqlClient({ connection, connectionsMax: 1 });
    await ensureDatabase(admin, { database: DATABASE, owner: DATABASE, ownerPassword: password, replication: true });
    await admin.close();
  }

  caller(connectionsMax = 512): Caller {
    const { settings, credential } = this.parts;
    const caller = new Caller({ gatewayUrl: settings.gateway_url, credential, connectionsMax });
    this.#endings.push(() => caller.close());
    return caller;
  }

  /** Ended before the stack, the last one first. */
  onClose(end: () => unknown): void {
    this.#endings.push(end);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#services.values()].map((service) => service.kill()));
    for (const end of this.#endings.splice(0).reverse()) await end();
    await this.log.close();
    for (const proxy of this.proxies.values()) await proxy.close();
    if (this.parts.keepsFolder) await this.parts.stack.stop();
    else await this.parts.stack.wipe();
    if (!this.parts.keepsFolder) await rm(this.parts.folder, { recursive: true, force: true });
  }

  get #password(): string {
    return postgresPassword(stackPaths(this.parts.stackOptions.dataDir));
  }

  async #startProxy(name: ProxiedName, seed: number): Promise<void> {
    const { port, advertisedPort } = proxyListener(this.parts.portBase, name);
    const random = new SeededRandom(seed + PROXIED.indexOf(name));
    const target = { host: LOCAL_HOST, port };
    this.proxies.set(name, await LossyProxy.start({ listenPort: advertisedPort, target, random }));
  }

  #context(): Context {
    const nowhere = { write: () => true };
    const machine = { stdout: nowhere, stderr: process.stderr, clock: systemClock, random: systemRandom };
    const context = contextOf(machine, { dataDir: this.parts.local.layout.dataDir, json: true });
    return { ...context, output: context.output.progressOnly() };
  }
}

type Started = Pick<Parts, 'portBase' | 'stack' | 'stackOptions'>;

async function startFreeStack(folder: string, options: FaultWorldOptions): Promise<Started> {
  for (let attempt = 0; ; attempt += 1) {
    const base = portBaseOf(attempt);
    const stackOptions = {
      dataDir: join(folder, 'stack'),
      ports: { kafka: base, kafkaController: base + 1, registry: base + 2, postgres: base + 3 },
      parts: options.parts ?? STACK_PARTS,
      extraListeners: (options.proxied ?? []).map((name) => proxyListener(base, name)),
      ownerPid: process.pid,
      wipeWithOwner: options.keepsFolder !== true,
      ...(options.kafkaCompilers === undefined ? {} : { kafkaCompilers: options.kafkaCompilers }),
    };
    try {
      return { portBase: base, stackOptions, stack: await startStack(stackOptions) };
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'CLY_STACK_PORT_TAKEN';
      if (!isTaken || attempt === PLACE_ATTEMPT_COUNT) throw error;
    }
  }
}

async function prepareParts(folder: string, started: Started, options: FaultWorldOptions): Promise<Parts> {
  const local = await prepareLocal(join(folder, 'data'), { clock: systemClock, random: systemRandom });
  const { kafka, registry } = started.stack.connections;
  const ports = worldServicePorts(started.portBase);
  const settings: LocalSettings = {
    format: 'clyra/local-settings/v0',
    port_base: started.portBase,
    topic_prefix: 'clyra',
    kafka_brokers: [kafka.bootstrap],
    registry_url: registry.url,
    intake_url: `http://${LOCAL_HOST}:${ports.intake}`,
    gateway_url: `http://${LOCAL_HOST}:${ports.gateway}`,
    upstreams: [],
    service_ports: ports,
    postgres: { host: LOCAL_HOST, port: started.portBase + 3 },
  };
  await writeSettings(local.layout, settings);
  for (const name of [...Object.keys(ports), 'enforcer-2']) {
    await mkdir(join(local.layout.stateDir, name), { recursive: true });
  }
  const place = { registryUrl: settings.registry_url, prefix: settings.topic_prefix, deadlineMs: DEADLINE_MS };
  await applyTopics({ brokers: settings.kafka_brokers, ...place, profile: 'local' });
  const wanted = { tenant: WORLD_TENANT };
  const credential = await ensureCredential(local.layout.credentialsFile, wanted, systemRandom);
  const codec = await registryCodec({ url: settings.registry_url, deadlineMs: DEADLINE_MS });
  const keepsFolder = options.keepsFolder === true;
  return { folder, ...started, local, settings, credential, codec, keepsFolder };
}
