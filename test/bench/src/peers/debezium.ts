// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { mavenJars } from '@clyra/stack/kafka/broker-jars';
import { findJava } from '@clyra/stack/kafka/java';
import { hostEnvironment, stackConfig } from '@clyra/stack/stack-config';
import { killAtExit } from '@clyra/testing/kill-at-exit';

export const DEBEZIUM_SLOT = 'debezium';
export const DEBEZIUM_PREFIX = 'debezium';
/** Where each row goes, each logical message, and the begin and end of each transaction. */
export const DEBEZIUM_TOPICS = {
  rows: 'debezium.public.activations',
  messages: 'debezium.message',
  transactions: 'debezium.transaction',
} as const;

export type DebeziumPlan = {
  readonly bootstrap: string;
  readonly database: PostgresConnection;
  readonly publication: string;
  readonly restPort: number;
  readonly folder: string;
  readonly say: (line: string) => void;
};

const POM_FILE = fileURLToPath(new URL('../../debezium/pom.xml', import.meta.url));
const STREAMING = 'Starting streaming';
const START_DEADLINE_MS = 120_000;
const STOP_DEADLINE_MS = 30_000;
const LOG_TAIL_CHARS = 3_000;

/**
 * Debezium's connector in Kafka Connect, standalone, as a process: pgoutput, transaction metadata, JSON without schemas,
 * and a poll interval of 1 ms, with which it is fastest. Its heap is fixed, as that of a tuned worker is: with a smaller
 * start the JVM grows it or not by chance, and the same run held 346, 454 or 560 MB; with this one a whole run held 547 to
 * 550 MB at every rate, which is what the recorder's prototype was compared with.
 */
export class Debezium {
  readonly #plan: DebeziumPlan;
  readonly #logFile: string;
  #child: ChildProcess | undefined;

  constructor(plan: DebeziumPlan) {
    this.#plan = plan;
    this.#logFile = join(plan.folder, 'debezium.log');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { folder, say } = this.#plan;
    mkdirSync(folder, { recursive: true });
    const host = hostEnvironment();
    const { cacheDir } = stackConfig({});
    const jars = await mavenJars({
      ...{ cacheDir, path: host.path, logFile: join(folder, 'maven.log'), onProgress: say },
      ...{ pomFile: POM_FILE, part: 'debezium', title: 'the jars of Kafka Connect and Debezium (about 50 MB)' },
    });
    const [worker, connector] = this.#writeSettings();
    const output = openSync(this.#logFile, 'w');
    const main = ['-cp', `${folder}:${jars}/*`, 'org.apache.kafka.connect.cli.ConnectStandalone'];
    const args = ['-Xms512m', '-Xmx512m', '-XX:+UseG1GC', ...main, worker, connector];
    this.#child = spawn(await findJava(host), args, { cwd: folder, stdio: ['ignore', output, output] });
    closeSync(output);
    killAtExit(this.#child);
    await this.#streams();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(timer);
  }

  async #streams(): Promise<void> {
    const endMs = performance.now() + START_DEADLINE_MS;
    while (!this.#log.includes(STREAMING)) {
      if (this.#child?.exitCode !== null || performance.now() > endMs) {
        throw new Error(`Debezium does not stream:\n${this.said}`);
      }
      await pause(100);
    }
  }

  /** Its last words. */
  get said(): string {
    return this.#log.slice(-LOG_TAIL_CHARS);
  }

  get #log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  #writeSettings(): readonly [string, string] {
    const { bootstrap, database, publication, restPort, folder } = this.#plan;
    const json = 'org.apache.kafka.connect.json.JsonConverter';
    const worker = write(join(folder, 'worker.properties'), {
      'bootstrap.servers': bootstrap,
      'key.converter': json,
      'value.converter': json,
      'key.converter.schemas.enable': 'false',
      'value.converter.schemas.enable': 'false',
      'offset.storage.file.filename': join(folder, 'offsets'),
      'offset.flush.interval.ms': '1000',
      'plugin.discovery': 'service_load',
      listeners: `http://127.0.0.1:${restPort}`,
    });
    const connector = write(join(folder, 'connector.properties'), {
      name: 'debezium',
      'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
      'database.hostname': database.host,
      'database.port': String(database.port),
      'database.user': database.user,
      'database.password': String(database.password),
      'database.dbname': database.database,
      'topic.prefix': DEBEZIUM_PREFIX,
      'plugin.name': 'pgoutput',
      'slot.name': DEBEZIUM_SLOT,
      'publication.name': publication,
      'publication.autocreate.mode': 'disabled',
      'table.include.list': 'public.activations',
      'snapshot.mode': 'no_data',
      'provide.transaction.metadata': 'true',
      'tombstones.on.delete': 'false',
      'poll.interval.ms': '1',
    });
    writeFileSync(join(folder, 'log4j2.properties'), LOGGING);
    return [worker, connector];
  }
}

const LOGGING = `appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
`;

function write(file: string, settings: Readonly<Record<string, string>>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file, lines.join(''), { mode: 0o600 });
  return file;
}
