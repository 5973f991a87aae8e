// SPDX-License-Identifier: Apache-2.0
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Between the blocks of the tests' stacks and the ports that systems give to outgoing connections. */
const PORT_MIN = 25_000;
const PORT_MAX = 31_000;
const SPARE_PORTS = 1_000;

/** See `freePorts`. */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('there is no free port');
  return port;
}

/**
 * Ports that are free, all different, and below those that the system gives to outgoing connections: a server that is
 * not up yet, or starts again, must not find its port taken by somebody's connection.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let port = randomInt(PORT_MIN, PORT_MAX); ports.length < count; port += 1) {
    if (port > PORT_MAX + SPARE_PORTS) throw new Error(`there are no ${count} free ports`);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
