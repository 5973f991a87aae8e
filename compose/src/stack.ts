// SPDX-License-Identifier: Apache-2.0
import { type KafkaTools, kafkaTools, requireKafkaPorts, startKafka } from './kafka/kafka.ts';
import { startPostgres } from './postgres/postgres.ts';
import { type PostgresBinaries, postgresBinaries } from './postgres/postgres-binaries.ts';
import { requireFreePort } from './process/port-holder.ts';
import { isRunning, type ProcessIdentity } from './process/process-identity.ts';
import { startRegistry } from './schema-registry/registry-process.ts';
import { hostEnvironment, type StackConfig, type StackOptions, type StackPart, stackConfig } from './stack-config.ts';
import { connectionsOf, type StackConnections } from './stack-connections.ts';
import { startGuard } from './stack-guard.ts';
import { withLock } from './stack-lock.ts';
import { prepareFolders, type StackPaths, stackPaths } from './stack-paths.ts';
import { type RegisterProcess, readState, type StackState, writeState } from './stack-state.ts';
import { requireSameStack, runningParts } from './stack-status.ts';
import { endParts, stopStack, wipeStack } from './stack-stop.ts';

export type Stack = {
  readonly dataDir: string;
  readonly connections: StackConnections;
  /** Parts that this call started; what ran already is not among them. */
  readonly startedParts: readonly StackPart[];
  stop(): Promise<void>;
  /** Stops, and removes all data, logs and passwords. */
  wipe(): Promise<void>;
};

/** The first start may fetch Kafka's jars; whoever waits for it waits that long. */
const LOCK_DEADLINE_MS = 12 * 60_000;

/**
 * Starts the parts that do not run yet and waits until each answers. The processes outlive the caller, unless
 * `ownerPid` says whose end is theirs too. When it rejects, nothing that it started is left running:
 * CLY_STACK_CONFIG, _DIR, _DISK_FULL, _BUSY, _RUNNING (other ports), _PORT_TAKEN, _JAVA_MISSING, _JAVA_OLD,
 * _MAVEN_MISSING, _JARS_UNAVAILABLE, _POSTGRES_MISSING, _POSTGRES_USER, _KAFKA, _REGISTRY, _POSTGRES.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const config = stackConfig(options);
  const paths = stackPaths(config.dataDir);
  prepareFolders(paths);
  const startedParts = await withLock(paths.lockFile, LOCK_DEADLINE_MS, () => startMissing(config, paths));
  return {
    dataDir: config.dataDir,
    connections: connectionsOf(config, paths),
    startedParts,
    stop: () => stopStack(config.dataDir),
    wipe: () => wipeStack(config.dataDir),
  };
}

async function startMissing(config: StackConfig, paths: StackPaths): Promise<readonly StackPart[]> {
  const found = readState(paths.stateFile);
  const running = runningParts(found);
  requireSameStack(config, found, running);
  const missing = config.parts.filter((part) => !running.includes(part));
  if (missing.length === 0) return [];
  const needs = await requireNeeds(config, paths, missing);
  const register = stateWriter(config, paths, found);
  try {
    if (config.ownerPid !== undefined) await startGuard(config, { paths, register });
    await startParts({ config, paths, missing, needs, register });
  } catch (error) {
    await endParts(paths, running.length === 0 ? [...missing, 'guard'] : missing);
    throw error;
  }
  return missing;
}

type Needs = { readonly kafka: KafkaTools | undefined; readonly postgres: PostgresBinaries | undefined };

/** Everything that can be known to be wrong is found before the first process starts. */
async function requireNeeds(config: StackConfig, paths: StackPaths, missing: readonly StackPart[]): Promise<Needs> {
  if (missing.includes('kafka')) await requireKafkaPorts(config);
  if (missing.includes('registry')) await requireFreePort('schema registry', config.ports.registry);
  if (missing.includes('postgres')) await requireFreePort('PostgreSQL', config.ports.postgres);
  const postgres = missing.includes('postgres') ? postgresBinaries(hostEnvironment()) : undefined;
  const kafka = missing.includes('kafka') ? await kafkaTools(config, paths) : undefined;
  return { kafka, postgres };
}

/** Keeps stack.json in step with every process as it is launched. */
function stateWriter(config: StackConfig, paths: StackPaths, found: StackState | undefined): RegisterProcess {
  const alive = Object.entries(found?.processes ?? {}).filter(([, identity]) => isRunning(identity));
  let processes: StackState['processes'] = Object.fromEntries(alive);
  const { ports, extraListeners } = config;
  return (part, identity) => {
    processes = { ...processes, [part]: identity };
    writeState(paths.stateFile, { format: 'clyra/stack/v0', ports, extraListeners, processes });
  };
}

async function startParts(request: {
  readonly config: StackConfig;
  readonly paths: StackPaths;
  readonly missing: readonly StackPart[];
  readonly needs: Needs;
  readonly register: RegisterProcess;
}): Promise<void> {
  const { config, paths, missing, needs, register } = request;
  const timed = async (title: string, part: StackPart, start: StartPart): Promise<void> => {
    const begin = performance.now();
    await start((identity) => register(part, identity));
    config.onProgress(`${title} is up (${((performance.now() - begin) / 1000).toFixed(1)} s)`);
  };
  const logSide = async (): Promise<void> => {
    const tools = needs.kafka;
    if (tools !== undefined) {
      const start: StartPart = (onLaunched) => startKafka(config, { paths, tools, onLaunched });
      await timed(`Kafka on port ${config.ports.kafka}`, 'kafka', start);
    }
    if (missing.includes('registry')) {
      const start: StartPart = (onLaunched) => startRegistry(config, { paths, onLaunched });
      await timed(`the schema registry on port ${config.ports.registry}`, 'registry', start);
    }
  };
  const databaseSide = async (): Promise<void> => {
    const binaries = needs.postgres;
    if (binaries === undefined) return;
    const start: StartPart = (onLaunched) => startPostgres(config, { paths, binaries, onLaunched });
    await timed(`PostgreSQL on port ${config.ports.postgres}`, 'postgres', start);
  };
  // Both sides settle before a failure is passed on, so that nothing is launched while the parts are being ended.
  const results = await Promise.allSettled([logSide(), databaseSide()]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

type StartPart = (onLaunched: (identity: ProcessIdentity) => void) => Promise<void>;
