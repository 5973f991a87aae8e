// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { launch } from './process/launch.ts';
import { ownProgram } from './process/own-program.ts';
import { identityOf, isRunning } from './process/process-identity.ts';
import type { StackConfig } from './stack-config.ts';
import type { StackPaths } from './stack-paths.ts';
import { type RegisterProcess, readState } from './stack-state.ts';

/**
 * A small process that stops the stack when its owner is gone. It looks from outside, so that it also works when the
 * owner was killed and could run no handler. Started before the parts are.
 */
export async function startGuard(
  config: StackConfig,
  { paths, register }: { readonly paths: StackPaths; readonly register: RegisterProcess },
): Promise<void> {
  const found = readState(paths.stateFile)?.processes.guard;
  if (found !== undefined && isRunning(found)) return;
  const owner = identityOf(config.ownerPid ?? process.pid);
  if (owner === undefined) {
    throw new ClyraError('CLY_STACK_CONFIG', `there is no process ${config.ownerPid} that could own the stack`, {
      retry: 'never',
    });
  }
  const { program, args } = ownProgram('guard-main');
  const outputFile = join(paths.logs, 'guard.log');
  const what = config.wipeWithOwner ? 'wipe' : 'stop';
  const guardArgs = [...args, what, paths.dataDir, String(owner.pid), owner.startedAs];
  const identity = await launch({ program, args: guardArgs, cwd: paths.dataDir, outputFile });
  register('guard', identity);
}
