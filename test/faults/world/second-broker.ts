// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { brokerProperties, propertiesText } from '@clyra/stack/kafka/broker-properties';
import { type KafkaTools, kafkaTools } from '@clyra/stack/kafka/kafka';
import { stackConfig } from '@clyra/stack/stack-config';
import { stackPaths } from '@clyra/stack/stack-paths';
import { killAtExit } from '@clyra/testing/kill-at-exit';
import type { FaultWorld } from './fault-world.ts';
import { spareWorldPort } from './world-ports.ts';

const DEADLINE_MS = 60_000;
const FLAGS = ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * A second broker, so that a topic can have two replicas: on one broker alone Kafka takes no more replicas for granted
 * than a topic has, and min.insync.replicas above them changes nothing.
 */
export class SecondBroker {
  readonly #world: FaultWorld;
  readonly #admin: KafkaAdmin;
  readonly #folder: string;
  #tools: KafkaTools | undefined;
  #child: ChildProcess | undefined;

  constructor(world: FaultWorld) {
    this.#world = world;
    this.#admin = new KafkaAdmin({ brokers: world.parts.settings.kafka_brokers, clientId: 'clyra-fault-test' });
    this.#folder = join(world.parts.folder, 'second-broker');
    world.onClose(() => this.kill());
  }

  /** Starts it and waits until the cluster counts it; resolves with the moment. */
  async start(): Promise<number> {
    if (this.#tools === undefined) await this.#prepare();
    const output = openSync(join(this.#folder, 'broker.out'), 'a');
    const args = [...FLAGS, '-cp', `${this.#tools?.jarsDir}/*`, 'kafka.Kafka', this.#propertiesFile];
    this.#child = spawn(this.#tools?.java ?? 'java', args, { stdio: ['ignore', output, output] });
    closeSync(output);
    killAtExit(this.#child);
    const endMs = performance.now() + DEADLINE_MS;
    while ((await this.#admin.describeCluster(DEADLINE_MS)).brokers.length < 2) {
      if (performance.now() > endMs) throw new Error(`the second broker did not join: see ${this.#folder}`);
      await pause(50);
    }
    return Date.now();
  }

  /** kill -9, and resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Makes the topic anew with a replica on each broker, and no write without both. Before anybody uses it. */
  async replicate(topic: string): Promise<void> {
    const [found] = await this.#admin.describeTopics([topic], DEADLINE_MS);
    if (found === undefined) throw new Error(`there is no topic ${topic}`);
    await this.#admin.deleteTopics([topic], DEADLINE_MS);
    const endMs = performance.now() + DEADLINE_MS;
    while ((await this.#admin.describeTopics([topic], DEADLINE_MS)).length > 0 && performance.now() < endMs) {
      await pause(50);
    }
    const configs = { ...found.configs, 'min.insync.replicas': '2' };
    await this.#admin.ensureTopics([{ ...found, replicationFactor: 2, configs }], DEADLINE_MS);
  }

  get #propertiesFile(): string {
    return join(this.#folder, 'server.properties');
  }

  async #prepare(): Promise<void> {
    const { stackOptions, portBase } = this.#world.parts;
    const config = stackConfig(stackOptions);
    const paths = stackPaths(stackOptions.dataDir);
    this.#tools = await kafkaTools(config, paths);
    mkdirSync(this.#folder, { recursive: true });
    const listener = `BROKER://127.0.0.1:${spareWorldPort(portBase, 0)}`;
    const first = brokerProperties({ ports: config.ports, dataDir: join(this.#folder, 'data'), extraListeners: [] });
    const own = { 'process.roles': 'broker', 'node.id': '2', listeners: listener, 'advertised.listeners': listener };
    writeFileSync(this.#propertiesFile, propertiesText({ ...first, ...own }));
    const clusterId = readFileSync(join(paths.kafkaConfig, 'formatted'), 'utf8').trim();
    const format = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', this.#propertiesFile];
    await promisify(execFile)(this.#tools.java, [...FLAGS, '-cp', `${this.#tools.jarsDir}/*`, ...format]);
  }
}
