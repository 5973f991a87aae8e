// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inheritedEnvironment } from '@clyra/cli/config';

export const REPOSITORY: string = fileURLToPath(new URL('../../', import.meta.url));
export const PROGRAM: string = fileURLToPath(new URL('../../cli/bin/clyra', import.meta.url));

export type Ended = {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
};

/** The command line as a user types it, in an environment without any Clyra setting. After `deadlineMs` it is killed. */
export async function runClyra(args: readonly string[], deadlineMs: number): Promise<Ended> {
  const startMs = performance.now();
  const child = spawn(PROGRAM, args, {
    cwd: REPOSITORY,
    env: inheritedEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadlineMs,
    // The wrapper replaces itself by node, so the signal meets the program itself.
    killSignal: 'SIGTERM',
  });
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    child.exitCode === null ? once(child, 'exit') : undefined,
  ]);
  return { code: child.exitCode, stdout, stderr, tookMs: performance.now() - startMs };
}
