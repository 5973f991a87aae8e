// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { launch } from '../process/launch.ts';
import { requireFreePort } from '../process/port-holder.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import { runProgram } from '../process/run-program.ts';
import { waitReady } from '../process/wait-ready.ts';
import { hostEnvironment, type StackConfig } from '../stack-config.ts';
import type { StackPaths } from '../stack-paths.ts';
import { brokerJars } from './broker-jars.ts';
import { brokerProperties, loggingProperties, propertiesText } from './broker-properties.ts';
import { findJava } from './java.ts';

const STARTED = 'Kafka Server started';
const FORMAT_DEADLINE_MS = 180_000;
const HEAP_START_MB = 192;
const CLUSTER_ID_BYTES = 16;

export type KafkaTools = { readonly java: string; readonly jarsDir: string };

/** What must be on the host, before anything is started. */
export async function kafkaTools(config: StackConfig, paths: StackPaths): Promise<KafkaTools> {
  const { javaHome, path } = hostEnvironment();
  const java = await findJava({ javaHome, path });
  const logFile = join(paths.logs, 'maven.log');
  const jarsDir = await brokerJars({ cacheDir: config.cacheDir, path, logFile, onProgress: config.onProgress });
  return { java, jarsDir };
}

/** Rejects with CLY_STACK_PORT_TAKEN. */
export async function requireKafkaPorts(config: StackConfig): Promise<void> {
  await requireFreePort('Kafka', config.ports.kafka);
  await requireFreePort('Kafka controller', config.ports.kafkaController);
  for (const { name, port } of config.extraListeners) await requireFreePort(`Kafka listener ${name}`, port);
}

/**
 * Starts the broker's Java process directly, without Kafka's shell scripts. `onLaunched` is called at once with the
 * process, so that it can be ended also when it never becomes ready (CLY_STACK_KAFKA).
 */
export async function startKafka(
  config: StackConfig,
  {
    paths,
    tools,
    onLaunched,
  }: { paths: StackPaths; tools: KafkaTools; onLaunched: (identity: ProcessIdentity) => void },
): Promise<void> {
  const files = writeConfiguration(config, paths);
  await formatOnce(paths, { tools, propertiesFile: files.properties });
  const outputFile = join(paths.logs, 'kafka.out');
  const identity = await launch({
    program: tools.java,
    args: [
      ...[`-Xms${HEAP_START_MB}m`, `-Xmx${config.kafkaHeapMb}m`, '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError'],
      ...(config.kafkaCompilers === 'first' ? ['-XX:TieredStopAtLevel=1'] : []),
      ...['-Djava.awt.headless=true', `-Dlog4j2.configurationFile=${files.logging}`],
      ...['-cp', `${tools.jarsDir}/*`, 'kafka.Kafka', files.properties],
    ],
    cwd: paths.dataDir,
    outputFile,
  });
  onLaunched(identity);
  await waitReady({
    title: 'Kafka',
    code: 'CLY_STACK_KAFKA',
    identity,
    deadlineMs: config.startDeadlineMs,
    probe: () => readFileSync(outputFile, 'utf8').includes(STARTED),
    logFiles: [outputFile, join(paths.logs, 'kafka.log')],
  });
}

function writeConfiguration(config: StackConfig, paths: StackPaths): { properties: string; logging: string } {
  mkdirSync(paths.kafkaConfig, { recursive: true });
  const properties = join(paths.kafkaConfig, 'server.properties');
  const logging = join(paths.kafkaConfig, 'log4j2.properties');
  const settings = { ports: config.ports, dataDir: paths.kafkaData, extraListeners: config.extraListeners };
  writeFileSync(properties, propertiesText(brokerProperties(settings)));
  writeFileSync(logging, propertiesText(loggingProperties(join(paths.logs, 'kafka.log'))));
  return { properties, logging };
}

/** A data folder is formatted once; a formatting that was cut off starts again from nothing. */
async function formatOnce(
  paths: StackPaths,
  { tools, propertiesFile }: { tools: KafkaTools; propertiesFile: string },
): Promise<void> {
  const formattedMark = join(paths.kafkaConfig, 'formatted');
  if (existsSync(formattedMark)) return;
  rmSync(paths.kafkaData, { recursive: true, force: true });
  const clusterId = randomBytes(CLUSTER_ID_BYTES).toString('base64url');
  const { exitCode, output } = await runProgram({
    program: tools.java,
    args: [
      ...['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', `${tools.jarsDir}/*`],
      ...['kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '--config', propertiesFile],
    ],
    deadlineMs: FORMAT_DEADLINE_MS,
  });
  writeFileSync(join(paths.logs, 'kafka-format.log'), output);
  if (exitCode !== 0) {
    const log = join(paths.logs, 'kafka-format.log');
    throw new ClyraError('CLY_STACK_KAFKA', `Kafka's data folder could not be formatted; see ${log}`, {
      retry: 'never',
      context: { exitCode: exitCode ?? -1 },
    });
  }
  writeFileSync(formattedMark, `${clusterId}\n`);
}
