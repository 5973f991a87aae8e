// SPDX-License-Identifier: Apache-2.0
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import { identityOf, isRunning, type ProcessIdentity } from './process/process-identity.ts';

const LOOK_EVERY_MS = 50;

/**
 * Runs `work` while no other process starts or stops a stack in the same folder. A holder that ended without giving
 * the lock back is recognised and passed over. Rejects with CLY_STACK_BUSY when `deadlineMs` passes first.
 */
export async function withLock<Value>(file: string, deadlineMs: number, work: () => Promise<Value>): Promise<Value> {
  await acquire(file, deadlineMs);
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

async function acquire(file: string, deadlineMs: number): Promise<void> {
  const until = performance.now() + deadlineMs;
  const mine = JSON.stringify(identityOf(process.pid));
  while (!tryCreate(file, mine)) {
    const holder = readHolder(file);
    if (holder !== undefined && !isRunning(holder)) removeStale(file, holder);
    else if (performance.now() >= until) throw busy(file, holder);
    else await pause(LOOK_EVERY_MS);
  }
}

function tryCreate(file: string, content: string): boolean {
  try {
    writeFileSync(file, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Taken aside first: if somebody else was quicker, the file is already a new holder's and goes back. */
function removeStale(file: string, stale: ProcessIdentity): void {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  const taken = readHolder(aside);
  if (taken !== undefined && (taken.pid !== stale.pid || taken.startedAs !== stale.startedAs)) renameSync(aside, file);
  else rmSync(aside, { force: true });
}

function busy(file: string, holder: ProcessIdentity | undefined): ClyraError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new ClyraError(
    'CLY_STACK_BUSY',
    `${who} is starting or stopping this stack and does not finish: see ${file}`,
    {
      retry: 'backoff',
      context: { holderPid: holder?.pid ?? null },
    },
  );
}
