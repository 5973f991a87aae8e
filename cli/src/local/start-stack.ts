// SPDX-License-Identifier: Apache-2.0
import { startStack } from '@clyra/stack/stack';
import type { Local } from './prepare-local.ts';
import { DEFAULT_UPSTREAMS, gatewayPort, LOCAL_HOST, servicePorts } from './service-plan.ts';
import { type LocalSettings, readSettings, writeSettings } from './settings.ts';

export type LocalStackOptions = {
  readonly portBase?: number | undefined;
  readonly topicPrefix?: string | undefined;
  readonly upstreams?: readonly string[] | undefined;
  /** Stop the stack when this process is gone. */
  readonly ownerPid?: number;
  readonly onProgress: (line: string) => void;
};

/** Starts the stack where it does not run and writes down where everything listens. */
export async function startLocalStack({ layout }: Local, options: LocalStackOptions): Promise<LocalSettings> {
  const before = await readSettings(layout);
  const portBase = options.portBase ?? before?.port_base ?? undefined;
  const stack = await startStack({
    dataDir: layout.stackDir,
    onProgress: options.onProgress,
    ...(portBase === undefined ? {} : { portBase }),
    ...(options.ownerPid === undefined ? {} : { ownerPid: options.ownerPid }),
  });
  const { kafka, registry, postgres } = stack.connections;
  const ports = servicePorts(portBase);
  const settings: LocalSettings = {
    format: 'clyra/local-settings/v0',
    port_base: portBase ?? null,
    topic_prefix: options.topicPrefix ?? before?.topic_prefix ?? 'clyra',
    kafka_brokers: [kafka.bootstrap],
    registry_url: registry.url,
    intake_url: `http://${LOCAL_HOST}:${ports.intake}`,
    gateway_url: `http://${LOCAL_HOST}:${gatewayPort(portBase)}`,
    upstreams: options.upstreams ?? before?.upstreams ?? DEFAULT_UPSTREAMS,
    service_ports: ports,
    postgres: { host: postgres?.host ?? LOCAL_HOST, port: postgres?.port ?? 0 },
  };
  await writeSettings(layout, settings);
  return settings;
}
