// SPDX-License-Identifier: Apache-2.0
import { rmdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning } from './process/process-identity.ts';
import { stackPaths } from './stack-paths.ts';
import { readState } from './stack-state.ts';
import { stopStack, wipeStack } from './stack-stop.ts';

const LOOK_EVERY_MS = 500;
/** The guard is registered just after it starts; until then its absence from the state means nothing. */
const REGISTERED_WITHIN_MS = 10_000;

const [what, dataDir, ownerPid, ownerStartedAs] = process.argv.slice(2);
if (dataDir === undefined || ownerStartedAs === undefined) {
  process.stderr.write('usage: guard-main stop|wipe <dataDir> <ownerPid> <ownerStartedAs>\n');
  process.exit(2);
}

const owner = { pid: Number(ownerPid), startedAs: ownerStartedAs };
const { stateFile } = stackPaths(dataDir);
const isStillMine = (): boolean =>
  performance.now() < REGISTERED_WITHIN_MS || readState(stateFile)?.processes.guard?.pid === process.pid;

while (isRunning(owner) && isStillMine()) await pause(LOOK_EVERY_MS);
if (isStillMine()) {
  await (what === 'wipe' ? wipeStack(dataDir) : stopStack(dataDir));
  // The folder goes too unless somebody else keeps something in it.
  if (what === 'wipe') await rmdir(dataDir).catch(() => {});
}
