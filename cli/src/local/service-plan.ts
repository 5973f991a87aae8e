// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { keyFileOf, type LocalLayout, SERVICES, type ServiceName } from './layout.ts';
import type { LocalSettings } from './settings.ts';

export const LOCAL_HOST = '127.0.0.1';

/** The ports of the services when nothing else is asked for. */
export const DEFAULT_SERVICE_PORTS: Readonly<Record<ServiceName, number>> = {
  intake: 8081,
  enforcer: 8082,
  recorder: 8083,
  bundler: 8084,
  attestor: 8085,
};

export const DEFAULT_GATEWAY_PORT = 8080;
/** Where the demonstration upstream listens when nothing else is asked for. */
export const DEFAULT_UPSTREAMS: readonly string[] = ['crm=http://127.0.0.1:8090'];

/** With --port-base, the services stand this far above the ports of the stack. */
const SERVICE_PORT_OFFSET = 10;

export function servicePorts(portBase: number | undefined): Readonly<Record<ServiceName, number>> {
  if (portBase === undefined) return DEFAULT_SERVICE_PORTS;
  const ports = SERVICES.map((name, index) => [name, portBase + SERVICE_PORT_OFFSET + index]);
  return Object.fromEntries(ports) as Record<ServiceName, number>;
}

export function gatewayPort(portBase: number | undefined): number {
  return portBase === undefined ? DEFAULT_GATEWAY_PORT : portBase + SERVICE_PORT_OFFSET + SERVICES.length;
}

export type ServiceEnvironmentOptions = {
  readonly layout: LocalLayout;
  readonly settings: LocalSettings;
  /** `none` where all run in one process or under one account: printed in every bundle. */
  readonly separation: 'none' | 'processes';
  readonly logFormat: 'json' | 'pretty';
  /** Further variables by service: upstreams, sources, policies of a scenario. */
  readonly extra?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
};

/** The environment of one service: only what its config.ts declares is read, the rest does no harm. */
export function serviceEnvironment(name: ServiceName, options: ServiceEnvironmentOptions): Record<string, string> {
  const { layout, settings } = options;
  return {
    CLYRA_KAFKA_BROKERS: settings.kafka_brokers.join(','),
    CLYRA_SCHEMA_REGISTRY_URL: settings.registry_url,
    CLYRA_TOPIC_PREFIX: settings.topic_prefix,
    CLYRA_BLOB_DIR: layout.blobDir,
    CLYRA_KEY_FILE: keyFileOf(layout, name),
    CLYRA_TRUST_ROOT_FILE: layout.trustRootFile,
    CLYRA_HTTP_HOST: LOCAL_HOST,
    CLYRA_HTTP_PORT: String(settings.service_ports[name] ?? DEFAULT_SERVICE_PORTS[name]),
    CLYRA_LOG_FORMAT: options.logFormat,
    CLYRA_SEPARATION: options.separation,
    CLYRA_DATA_DIR: join(layout.stateDir, name),
    ...ownVariables(name, options),
    ...options.extra?.[name],
  };
}

/**
 * One pool of memory instead of one for each thread: 5 MB of a hundred. What a socket was read into, 64 KiB, stands outside of
 * the pool and goes back at once; a fixed limit also keeps glibc from raising it, and what it leaves free at the pool's end,
 * when large pieces come and go. Otherwise 14 MB more stay after a burst; a backlog is as quick.
 */
const MALLOC_FOR_RECORDER = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '65536' } as const;

function ownVariables(name: ServiceName, { layout, settings }: ServiceEnvironmentOptions): Record<string, string> {
  if (name === 'recorder') return { CLYRA_SOURCES_FILE: layout.sourcesFile, ...MALLOC_FOR_RECORDER };
  if (name === 'bundler') return { CLYRA_LOG_KEY_FILE: keyFileOf(layout, 'log') };
  if (name !== 'intake') return {};
  return {
    CLYRA_GATEWAY_HOST: LOCAL_HOST,
    CLYRA_GATEWAY_PORT: new URL(settings.gateway_url).port,
    CLYRA_UPSTREAMS: settings.upstreams.join(','),
    CLYRA_CREDENTIALS_FILE: layout.credentialsFile,
    CLYRA_FINGERPRINT_SECRET: readFileSync(layout.fingerprintFile, 'utf8').trim(),
    CLYRA_TRUST_ROOT_DIGESTS: digestOf(readFileSync(layout.trustRootFile)),
    ...(existsSync(layout.grantPlacesFile) ? { CLYRA_GRANT_PLACES_FILE: layout.grantPlacesFile } : {}),
    ...humanDoor(layout),
    ...(existsSync(layout.activationFile) ? { CLYRA_ACTIVATION_FILE: layout.activationFile } : {}),
  };
}

/** People come in at the address that the identity file says: on one machine the door listens right there. */
function humanDoor(layout: LocalLayout): Record<string, string> {
  if (!existsSync(layout.identityFile)) return {};
  const { public_url: url } = JSON.parse(readFileSync(layout.identityFile, 'utf8')) as { public_url?: string };
  const port = url !== undefined && URL.canParse(url) ? new URL(url).port : '';
  return {
    CLYRA_IDENTITY_FILE: layout.identityFile,
    CLYRA_APPROVER_KEY_FILE: keyFileOf(layout, 'human-door'),
    ...(port === '' ? {} : { CLYRA_HUMAN_PORT: port }),
  };
}
