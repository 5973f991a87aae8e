// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { ClyraError } from '@clyra/core/kernel/error';
import { giveBackAtRest } from './memory-at-rest.ts';

export type Closable = { close(): Promise<void> };

export type MainOptions = {
  /** Nobody waits for this process: it may stop for a moment when a busy time is over, to give back the memory of it. */
  readonly givesBackAtRest?: boolean;
};

/**
 * The main of a service process. SIGTERM and SIGINT end a waiting start or close the service, a second one ends the
 * process at once. Exit codes: 0 stopped, 1 a bug or a late stop, 2 cannot start (the message says what to do).
 */
export async function runMain(
  start: (signal: AbortSignal) => Promise<Closable>,
  { givesBackAtRest = false }: MainOptions = {},
): Promise<void> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      if (stopping.signal.aborted) process.exit(1);
      stopping.abort();
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
  try {
    const service = await start(stopping.signal);
    // What only the start needed, a third of its heap, goes before work comes; by itself V8 would keep it for long.
    collectAll();
    if (givesBackAtRest) giveBackAtRest(collectAll);
    await stopped;
    await service.close();
    process.exit(0);
  } catch (failure) {
    process.exit(exitCodeOf(failure, stopping.signal.aborted));
  }
}

function collectAll(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** A start that was told to stop while it waited has done as it was told. */
function exitCodeOf(failure: unknown, toldToStop: boolean): number {
  const known = failure instanceof ClyraError;
  const late = known && failure.code === 'CLY_SERVICE_STOP_LATE';
  if (known && toldToStop && !late) return 0;
  process.stderr.write(failureText(failure));
  return known && !late ? 2 : 1;
}

function failureText(failure: unknown): string {
  if (failure instanceof ClyraError) return `${failure.code}: ${failure.message}\n`;
  return `${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}\n`;
}
