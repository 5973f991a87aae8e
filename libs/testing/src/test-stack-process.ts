// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lossyPorts, ownPlace, type TestStackPlace } from './test-stack-config.ts';

export type TestStackPart = 'kafka' | 'registry' | 'postgres';

export type TestConnections = {
  readonly kafka: { readonly bootstrap: string };
  readonly registry: { readonly url: string };
  readonly postgres:
    | {
        readonly host: string;
        readonly port: number;
        readonly user: string;
        readonly password: string;
        readonly database: string;
      }
    | undefined;
};

/**
 * The stack is started as a program and not imported: it depends on the adapters, whose own tests run on it.
 */
const STACK_PROGRAM = fileURLToPath(new URL('../../../compose/src/main.ts', import.meta.url));
/** The first start on a machine may fetch the broker's jars. */
const START_DEADLINE_MS = 11 * 60_000;
const STOP_DEADLINE_MS = 60_000;
const PLACE_ATTEMPT_COUNT = 20;

const run = promisify(execFile);

/** Starts in the first place whose ports are free. Its processes end with this process, however it ends. */
export async function startInFreePlace(parts: readonly TestStackPart[]): Promise<TestStackPlace> {
  for (let attempt = 0; ; attempt += 1) {
    const place = ownPlace(attempt);
    try {
      await startParts(place, parts);
      return place;
    } catch (error) {
      await rm(place.dataDir, { recursive: true, force: true });
      const isTaken = error instanceof Error && error.message.includes('CLY_STACK_PORT_TAKEN');
      if (!isTaken || attempt === PLACE_ATTEMPT_COUNT) throw error;
    }
  }
}

/** Starts what does not run yet. */
export async function startParts(place: TestStackPlace, parts: readonly TestStackPart[]): Promise<TestConnections> {
  const { port, advertisedPort } = lossyPorts(place);
  const { stdout } = await run(
    process.execPath,
    [
      ...['--conditions=@clyra/source', STACK_PROGRAM, 'up', '--json', '--data', place.dataDir],
      ...['--port-base', String(place.portBase), '--owner-pid', String(place.ownerPid), '--wipe-with-owner'],
      ...['--parts', parts.join(','), '--listener', `LOSSY:${port}:${advertisedPort}`],
    ],
    { timeout: START_DEADLINE_MS },
  );
  return (JSON.parse(stdout) as { readonly connections: TestConnections }).connections;
}

export async function endStack(place: TestStackPlace): Promise<void> {
  const args = ['--conditions=@clyra/source', STACK_PROGRAM, 'down', '--data', place.dataDir];
  await run(process.execPath, args, { timeout: STOP_DEADLINE_MS });
  await rm(place.dataDir, { recursive: true, force: true });
}
