// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

const LOOK_EVERY_MS = 25;
/** A killed process is gone as soon as the kernel has freed its memory; this only bounds the wait. */
const KILL_DEADLINE_MS = 10_000;

export type EndRequest = {
  readonly signal: NodeJS.Signals;
  /** How long the process may take to end in order; then it is killed. */
  readonly deadlineMs: number;
};

/** Resolves with how the process ended. A process that is gone already counts as `ended`. */
export async function endProcess(identity: ProcessIdentity, request: EndRequest): Promise<'ended' | 'killed'> {
  signalSafely(identity, request.signal);
  if (await isGoneWithin(identity, request.deadlineMs)) return 'ended';
  signalSafely(identity, 'SIGKILL');
  await isGoneWithin(identity, KILL_DEADLINE_MS);
  return 'killed';
}

function signalSafely(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch {
    // It ended between the look and the signal, or belongs to another user: the wait that follows tells which.
  }
}

async function isGoneWithin(identity: ProcessIdentity, deadlineMs: number): Promise<boolean> {
  const until = performance.now() + deadlineMs;
  while (isRunning(identity)) {
    if (performance.now() >= until) return false;
    await pause(LOOK_EVERY_MS);
  }
  return true;
}
