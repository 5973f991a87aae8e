// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { ClyraError, type ErrorCode } from '@clyra/core/kernel/error';
import { isRunning, type ProcessIdentity } from './process-identity.ts';

export type ReadyRequest = {
  /** What the user calls it, for the error message. */
  readonly title: string;
  readonly code: ErrorCode;
  readonly identity: ProcessIdentity;
  readonly probe: () => boolean | Promise<boolean>;
  readonly deadlineMs: number;
  /** Where to look when it does not come up; the first one's last lines go into the message. */
  readonly logFiles: readonly string[];
};

const LOOK_EVERY_MS = 40;
const TAIL_LINE_COUNT = 12;
const DISK_FULL = /No space left on device|ENOSPC/;

/** Waits until the probe says yes. Rejects with `code`, or CLY_STACK_DISK_FULL, when the process ends or time is up. */
export async function waitReady(request: ReadyRequest): Promise<void> {
  const until = performance.now() + request.deadlineMs;
  while (!(await request.probe())) {
    if (!isRunning(request.identity)) throw notReady(request, 'ended before it was ready');
    if (performance.now() >= until) throw notReady(request, `was not ready after ${request.deadlineMs / 1000} s`);
    await pause(LOOK_EVERY_MS);
  }
}

function notReady(request: ReadyRequest, what: string): ClyraError {
  const tails = request.logFiles.map((file) => ({ file, tail: tailOf(file) }));
  if (tails.some(({ tail }) => DISK_FULL.test(tail))) {
    return new ClyraError(
      'CLY_STACK_DISK_FULL',
      `${request.title} ${what}: the disk is full; free space and start again`,
      {
        retry: 'never',
        context: { part: request.title },
      },
    );
  }
  const telling = tails.find(({ tail }) => tail !== '');
  const files = request.logFiles.join(' and ');
  const lines = telling === undefined ? '' : ` Its last lines:\n${telling.tail}`;
  return new ClyraError(request.code, `${request.title} ${what}; see ${files}.${lines}`, {
    retry: 'never',
    context: { part: request.title },
  });
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINE_COUNT).join('\n');
  } catch {
    return '';
  }
}
