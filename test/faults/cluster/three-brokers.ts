// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brokerProperties, propertiesText } from '@clyra/stack/kafka/broker-properties';
import { type KafkaTools, kafkaTools } from '@clyra/stack/kafka/kafka';
import { stackConfig } from '@clyra/stack/stack-config';
import { stackPaths } from '@clyra/stack/stack-paths';
import { freePorts } from '@clyra/testing/free-ports';
import { killAtExit } from '@clyra/testing/kill-at-exit';

const run = promisify(execFile);
const FLAGS = ['-Xms96m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
const IDS = [1, 2, 3] as const;
const STORE_PASSWORD = 'of the key store, which is made for one run';

type BrokerId = (typeof IDS)[number];
type Ports = { readonly secure: number; readonly internal: number; readonly controller: number };

type ClusterUser = { readonly name: string; readonly password: string };

/** Three real brokers that talk to clients over TLS and SCRAM-SHA-512 only; production's shape on one machine. */
export class ThreeBrokers {
  readonly caFile: string;
  readonly user: ClusterUser;
  readonly #folder: string;
  readonly #ports: ReadonlyMap<BrokerId, Ports>;
  readonly #tools: KafkaTools;
  readonly #children = new Map<BrokerId, ChildProcess>();

  private constructor(parts: { folder: string; ports: ReadonlyMap<BrokerId, Ports>; tools: KafkaTools }) {
    this.#folder = parts.folder;
    this.#ports = parts.ports;
    this.#tools = parts.tools;
    this.caFile = join(parts.folder, 'ca.pem');
    this.user = { name: 'clyra', password: randomBytes(12).toString('hex') };
  }

  /** Formats the three and makes their certificate; nothing runs yet. */
  static async prepare(folder: string): Promise<ThreeBrokers> {
    mkdirSync(join(folder, 'logs'), { recursive: true });
    const tools = await kafkaTools(stackConfig({ dataDir: folder }), stackPaths(folder));
    const ports = new Map<BrokerId, Ports>();
    const free = await freePorts(3 * IDS.length);
    for (const [index, id] of IDS.entries()) {
      const [secure, internal, controller] = free.slice(3 * index) as [number, number, number];
      ports.set(id, { secure, internal, controller });
    }
    const cluster = new ThreeBrokers({ folder, ports, tools });
    await cluster.#makeCertificate(cluster.#storeFile, cluster.caFile);
    const clusterId = randomBytes(16).toString('base64url');
    await Promise.all(IDS.map((id) => cluster.#format(id, clusterId)));
    return cluster;
  }

  get bootstrap(): readonly string[] {
    return IDS.map((id) => `127.0.0.1:${this.#ports.get(id)?.secure}`);
  }

  start(id: BrokerId): void {
    const output = openSync(join(this.#folder, `broker-${id}.out`), 'a');
    const args = [...FLAGS, '-cp', `${this.#tools.jarsDir}/*`, 'kafka.Kafka', this.#fileOf(id)];
    const child = spawn(this.#tools.java, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    this.#children.set(id, child);
    killAtExit(child);
  }

  /** kill -9, and resolves when it is gone. */
  async kill(id: BrokerId): Promise<void> {
    const child = this.#children.get(id);
    this.#children.delete(id);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** A broker that ended by itself comes back no more. */
  get fallen(): readonly BrokerId[] {
    return IDS.filter((id) => typeof this.#children.get(id)?.exitCode === 'number');
  }

  async close(): Promise<void> {
    await Promise.all(IDS.map((id) => this.kill(id)));
  }

  /** A certificate that none of the brokers has. */
  async strangerFile(): Promise<string> {
    const file = join(this.#folder, 'stranger.pem');
    await this.#makeCertificate(join(this.#folder, 'stranger.p12'), file);
    return file;
  }

  /** One certificate for the three, which all stand at 127.0.0.1; clients trust it and nothing else. */
  async #makeCertificate(storeFile: string, certificateFile: string): Promise<void> {
    const store = ['-keystore', storeFile, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
    const subject = [
      '-alias',
      'broker',
      '-dname',
      'CN=clyra test broker',
      '-ext',
      'SAN=ip:127.0.0.1',
      '-validity',
      '2',
    ];
    const keytool = join(this.#tools.java, '..', 'keytool');
    await run(keytool, ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', ...subject, ...store]);
    const { stdout } = await run(keytool, ['-exportcert', '-rfc', '-alias', 'broker', ...store]);
    writeFileSync(certificateFile, stdout);
  }

  async #format(id: BrokerId, clusterId: string): Promise<void> {
    writeFileSync(this.#fileOf(id), propertiesText(this.#propertiesOf(id)));
    const scram = `SCRAM-SHA-512=[name=${this.user.name},password=${this.user.password}]`;
    const order = ['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', this.#fileOf(id)];
    await run(this.#tools.java, [...FLAGS, '-cp', `${this.#tools.jarsDir}/*`, ...order, '--add-scram', scram]);
  }

  #propertiesOf(id: BrokerId): Record<string, string> {
    const { secure, internal, controller } = this.#ports.get(id) as Ports;
    const voters = [...this.#ports].map(([voter, ports]) => `${voter}@127.0.0.1:${ports.controller}`);
    const alone = brokerProperties({
      ports: { kafka: internal, kafkaController: controller },
      dataDir: join(this.#folder, `data-${id}`),
      extraListeners: [],
    });
    const open = [`SECURE://127.0.0.1:${secure}`, `BROKER://127.0.0.1:${internal}`];
    return {
      ...alone,
      'node.id': String(id),
      'controller.quorum.voters': voters.join(','),
      listeners: [...open, `CONTROLLER://127.0.0.1:${controller}`].join(','),
      'advertised.listeners': open.join(','),
      'listener.security.protocol.map': 'SECURE:SASL_SSL,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.secure.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.keystore.type': 'PKCS12',
      'ssl.keystore.location': this.#storeFile,
      'ssl.keystore.password': STORE_PASSWORD,
      'ssl.key.password': STORE_PASSWORD,
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'offsets.topic.replication.factor': '3',
      'replica.lag.time.max.ms': '3000',
    };
  }

  get #storeFile(): string {
    return join(this.#folder, 'broker.p12');
  }

  #fileOf(id: BrokerId): string {
    return join(this.#folder, `broker-${id}.properties`);
  }
}
