// SPDX-License-Identifier: Apache-2.0
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where the stack of one test run stands, and whose end is its end. */
export type TestStackPlace = {
  readonly dataDir: string;
  readonly portBase: number;
  readonly ownerPid: number;
};

/** Below the ports that systems give to outgoing connections, and apart from the stack's own defaults. */
const PORT_BASE_MIN = 20_000;
const PORT_BLOCK_SIZE = 8;
const PORT_BLOCK_COUNT = 600;

/** The port of the listener behind the lossy proxy, and the one on which the proxy listens, counted from the base. */
const LOSSY_PORT_INDEX = 4;
const LOSSY_ADVERTISED_PORT_INDEX = 5;

/** CLYRA_TEST_STACK (`dataDir|portBase|ownerPid`) is set by the run's global set-up for all workers. */
export function sharedPlace(): TestStackPlace | undefined {
  const [dataDir, portBase, ownerPid] = (process.env['CLYRA_TEST_STACK'] ?? '').split('|');
  if (dataDir === undefined || dataDir === '' || portBase === undefined || ownerPid === undefined) return undefined;
  return { dataDir, portBase: Number(portBase), ownerPid: Number(ownerPid) };
}

/** Tells this process and its workers where the stack is, also those tests that only know the broker's address. */
export function sharePlace(place: TestStackPlace): void {
  process.env['CLYRA_TEST_STACK'] = [place.dataDir, place.portBase, place.ownerPid].join('|');
  process.env['CLYRA_TEST_KAFKA'] = `127.0.0.1:${place.portBase}`;
  const { port, advertisedPort } = lossyPorts(place);
  process.env['CLYRA_TEST_KAFKA_LOSSY'] = `${port}:${advertisedPort}`;
}

/** A place of this process's own. `attempt` counts the places that turned out to be taken. */
export function ownPlace(attempt: number): TestStackPlace {
  const block = (process.pid + attempt * 97) % PORT_BLOCK_COUNT;
  return {
    dataDir: join(tmpdir(), `clyra-test-stack-${process.pid}-${attempt}`),
    portBase: PORT_BASE_MIN + block * PORT_BLOCK_SIZE,
    ownerPid: process.pid,
  };
}

export function lossyPorts({ portBase }: TestStackPlace): { readonly port: number; readonly advertisedPort: number } {
  return { port: portBase + LOSSY_PORT_INDEX, advertisedPort: portBase + LOSSY_ADVERTISED_PORT_INDEX };
}
