// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { inheritedEnvironment } from '@clyra/cli/config';
import { applyTopics } from '@clyra/cli/local/apply-topics';
import { type Local, prepareLocal } from '@clyra/cli/local/prepare-local';
import { serviceEnvironment } from '@clyra/cli/local/service-plan';
import { readinessOf } from '@clyra/cli/local/services-processes';
import type { LocalSettings } from '@clyra/cli/local/settings';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import { type Stack, startStack } from '@clyra/stack/stack';
import { stackPaths } from '@clyra/stack/stack-paths';
import { readState } from '@clyra/stack/stack-state';
import type { Caller } from '../load/request-maker.ts';
import type { NamedPid } from '../process/cpu-time.ts';
import { Peer } from '../process/peer.ts';
import { benchPolicy, UPSTREAM } from './bench-policy.ts';
import { makeCallers, openTenants, PARTITION_COUNT } from './open-tenants.ts';

const PEERS = new URL('../peers/', import.meta.url);
const SERVICES = new URL('../../../../services/', import.meta.url);
const READY_DEADLINE_MS = 60_000;

/** The product as it runs in production, on this machine: each part a process, one broker. */
export type World = {
  readonly dataDir: string;
  readonly local: Local;
  readonly settings: LocalSettings;
  readonly callers: readonly Caller[];
  readonly upstreamUrl: string;
  readonly intake: Peer;
  readonly enforcer: Peer;
  /** Starts one more process that ends with the world. */
  readonly startPeer: (name: string, script: string, argument: string) => Peer;
  readonly pids: () => readonly NamedPid[];
  readonly stop: () => Promise<void>;
};

export async function startWorld(say: (line: string) => void): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'clyra-bench-'));
  const peers: Peer[] = [];
  let stack: Stack | undefined;
  const stop = async (): Promise<void> => {
    for (const peer of peers.toReversed()) await peer.stop();
    await stack?.wipe();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const base = portBase();
    stack = await startStack({
      dataDir,
      portBase: base,
      parts: ['kafka', 'registry'],
      ownerPid: process.pid,
      kafkaCompilers: 'all',
      onProgress: say,
    });
    const local = await prepareLocal(dataDir, { clock: systemClock, random: systemRandom });
    const startPeer = (name: string, script: string, argument: string): Peer => {
      const logFile = join(local.layout.logsDir, `${name}.log`);
      const peer = new Peer({ name, script: new URL(script, PEERS), args: [argument], logFile });
      peers.push(peer);
      return peer;
    };
    const upstreamUrl = await startPeer('upstream', 'upstream-main.ts', '').ready();
    const settings = settingsOf(stack, { base, upstreamUrl });
    const topics = { profile: 'local', partitionCount: PARTITION_COUNT } as const;
    await applyTopics({
      brokers: settings.kafka_brokers,
      registryUrl: settings.registry_url,
      prefix: settings.topic_prefix,
      ...topics,
    });
    const callers = await makeCallers(local);
    const [enforcer, intake] = (['enforcer', 'intake'] as const).map((name) => startService(name, local, settings));
    if (enforcer === undefined || intake === undefined) throw new Error('two services are started');
    peers.push(enforcer, intake);
    await ready(`http://127.0.0.1:${settings.service_ports['enforcer']}`, 'enforcer');
    await ready(settings.intake_url, 'intake');
    await openTenants({ local, policy: benchPolicy(), intakeUrl: settings.intake_url, callers });
    say('the services are ready and the tenants are open');
    const pids = (): NamedPid[] => [...stackPids(dataDir), ...peers.map(({ name, pid }) => ({ name, pid }))];
    return { dataDir, local, settings, callers, upstreamUrl, intake, enforcer, startPeer, pids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function settingsOf(stack: Stack, { base, upstreamUrl }: { base: number; upstreamUrl: string }): LocalSettings {
  const { kafka, registry } = stack.connections;
  const servicePorts = { intake: base + 10, enforcer: base + 11 };
  return {
    format: 'clyra/local-settings/v0',
    port_base: base,
    topic_prefix: 'bench',
    kafka_brokers: [kafka.bootstrap],
    registry_url: registry.url,
    intake_url: `http://127.0.0.1:${servicePorts.intake}`,
    gateway_url: `http://127.0.0.1:${base + 12}`,
    upstreams: [`${UPSTREAM}=${upstreamUrl}`],
    service_ports: servicePorts,
    postgres: { host: '127.0.0.1', port: 0 },
  };
}

function startService(name: 'enforcer' | 'intake', local: Local, settings: LocalSettings): Peer {
  const { layout } = local;
  mkdirSync(join(layout.stateDir, name), { recursive: true });
  return new Peer({
    name,
    service: name,
    script: new URL('service-main.ts', PEERS),
    args: [new URL(`${name}/src/main.ts`, SERVICES).href],
    env: {
      ...inheritedEnvironment(),
      ...serviceEnvironment(name, { layout, settings, separation: 'processes', logFormat: 'json' }),
    },
    logFile: join(layout.logsDir, `${name}.log`),
  });
}

async function ready(url: string, name: string): Promise<void> {
  const endMs = Date.now() + READY_DEADLINE_MS;
  while ((await readinessOf(url))?.ready !== true) {
    if (Date.now() > endMs) throw new Error(`the ${name} is not ready: see its log`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function stackPids(dataDir: string): NamedPid[] {
  const processes = readState(stackPaths(dataDir).stateFile)?.processes ?? {};
  return Object.entries(processes).map(([name, { pid }]) => ({ name, pid }));
}

/** Sixteen ports in a row from here on, below those of outgoing connections; a random start keeps two benches apart. */
function portBase(): number {
  return 30_100 + Math.floor(Math.random() * 120) * 20;
}
