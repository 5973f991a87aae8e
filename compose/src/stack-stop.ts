// SPDX-License-Identifier: Apache-2.0
import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { endProcess } from './process/end-process.ts';
import { DEFAULT_DATA_DIR, type StackPart } from './stack-config.ts';
import { withLock } from './stack-lock.ts';
import { type StackPaths, stackPaths, wipedFolders } from './stack-paths.ts';
import { readState, removeState } from './stack-state.ts';

const LOCK_DEADLINE_MS = 60_000;
/** Kafka writes its clean-shutdown marks and PostgreSQL its checkpoint: without them the next start is slower. */
const END_DEADLINE_MS = 20_000;

/** Ends the stack's processes in order and keeps its data. Nothing happens where none runs. */
export async function stopStack(dataDir: string = DEFAULT_DATA_DIR): Promise<void> {
  const paths = stackPaths(resolve(dataDir));
  if (!existsSync(paths.dataDir)) return;
  await withLock(paths.lockFile, LOCK_DEADLINE_MS, () => stopAll(paths));
}

/** Stops the stack, then removes its data, logs and passwords; other files in the folder stay. */
export async function wipeStack(dataDir: string = DEFAULT_DATA_DIR): Promise<void> {
  const paths = stackPaths(resolve(dataDir));
  if (!existsSync(paths.dataDir)) return;
  await withLock(paths.lockFile, LOCK_DEADLINE_MS, async () => {
    await stopAll(paths);
    for (const folder of wipedFolders(paths)) rmSync(folder, { recursive: true, force: true });
  });
}

async function stopAll(paths: StackPaths): Promise<void> {
  await endParts(paths, ['kafka', 'registry', 'postgres', 'guard']);
  removeState(paths.stateFile);
}

/** Ends these processes as stack.json names them. The caller holds the lock. */
export async function endParts(paths: StackPaths, parts: readonly (StackPart | 'guard')[]): Promise<void> {
  const processes = readState(paths.stateFile)?.processes ?? {};
  const end = async (part: StackPart | 'guard'): Promise<void> => {
    const identity = parts.includes(part) ? processes[part] : undefined;
    // The guard stops the stack by this very function.
    if (identity === undefined || identity.pid === process.pid) return;
    // SIGINT is PostgreSQL's fast shutdown: it does not wait for its clients.
    const signal = part === 'postgres' ? 'SIGINT' : 'SIGTERM';
    await endProcess(identity, { signal, deadlineMs: END_DEADLINE_MS });
  };
  await end('guard');
  await Promise.all([end('registry').then(() => end('kafka')), end('postgres')]);
}
