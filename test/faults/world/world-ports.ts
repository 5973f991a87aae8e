// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import type { ServiceName } from '@clyra/cli/local/layout';
import type { ExtraListener } from '@clyra/stack/stack-config';

/** The services that may stand behind a proxy of their own. */
export const PROXIED = ['intake', 'enforcer', 'recorder', 'bundler'] as const;
export type ProxiedName = (typeof PROXIED)[number];

/** Below the ports of outgoing connections and of the other tests' stacks; a block holds a whole world. */
const BASE_MIN = 12_000;
const BLOCK_SIZE = 32;
const BLOCK_COUNT = 240;
const ATTEMPT_STEP = 37;
const LISTENER_INDEX = 4;
const SERVICE_INDEX = 12;
const FREE_INDEX = 18;

/** Blocks are tried one after the other until one is free. */
export function portBaseOf(attempt: number): number {
  return BASE_MIN + ((process.pid + attempt * ATTEMPT_STEP) % BLOCK_COUNT) * BLOCK_SIZE;
}

/** The broker's listener for each proxied service: the broker advertises the proxy's port. */
export function proxyListener(base: number, name: ProxiedName): ExtraListener {
  const port = base + LISTENER_INDEX + 2 * PROXIED.indexOf(name);
  return { name: `PROXY_${name.toUpperCase()}`, port, advertisedPort: port + 1 };
}

export function worldServicePorts(base: number): Readonly<Record<ServiceName | 'gateway', number>> {
  const port = (index: number): number => base + SERVICE_INDEX + index;
  return {
    intake: port(0),
    enforcer: port(1),
    recorder: port(2),
    bundler: port(3),
    attestor: port(4),
    gateway: port(5),
  };
}

/** Ports for second replicas and what a test starts itself: `index` from 0 to 13. */
export function spareWorldPort(base: number, index: number): number {
  return base + FREE_INDEX + index;
}
