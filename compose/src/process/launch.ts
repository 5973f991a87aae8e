// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, renameSync } from 'node:fs';
import { ClyraError } from '@clyra/core/kernel/error';
import { identityOf, type ProcessIdentity } from './process-identity.ts';

export type LaunchRequest = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Both streams, new at each start; what an earlier start wrote is kept beside it as `.previous`. */
  readonly outputFile: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly environment?: Readonly<Record<string, string>>;
};

/**
 * Starts a process in a session of its own: a Ctrl-C in the terminal must reach the stack's owner alone, which
 * then stops the parts in their order. Rejects with CLY_STACK_LAUNCH when the program cannot be run at all.
 */
export function launch(request: LaunchRequest): Promise<ProcessIdentity> {
  if (existsSync(request.outputFile)) renameSync(request.outputFile, `${request.outputFile}.previous`);
  const output = openSync(request.outputFile, 'w', 0o640);
  const child = spawn(request.program, [...request.args], {
    cwd: request.cwd,
    detached: true,
    stdio: ['ignore', output, output],
    ...(request.user === undefined ? {} : request.user),
    ...(request.environment === undefined ? {} : { env: request.environment }),
  });
  closeSync(output);
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(launchError(request.program, cause)));
    child.once('spawn', () => {
      child.unref();
      const { pid } = child;
      const identity = pid === undefined ? undefined : identityOf(pid);
      if (identity === undefined) reject(launchError(request.program, undefined));
      else resolve(identity);
    });
  });
}

function launchError(program: string, cause: unknown): ClyraError {
  return new ClyraError('CLY_STACK_LAUNCH', `${program} could not be started: check that this user may execute it`, {
    retry: 'never',
    context: { program },
    cause,
  });
}
