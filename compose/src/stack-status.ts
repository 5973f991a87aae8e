// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { isRunning } from './process/process-identity.ts';
import { DEFAULT_DATA_DIR, STACK_PARTS, type StackConfig, type StackPart } from './stack-config.ts';
import { connectionsOf, type StackConnections } from './stack-connections.ts';
import { stackPaths } from './stack-paths.ts';
import { readState, type StackState } from './stack-state.ts';

export type PartStatus = {
  readonly part: StackPart;
  readonly running: boolean;
  readonly port: number;
  readonly pid: number | undefined;
};

export type StackStatus = {
  readonly dataDir: string;
  readonly parts: readonly PartStatus[];
  readonly connections: StackConnections;
};

/** undefined where no stack was started in this folder, or it was stopped. */
export function stackStatus(dataDir: string = DEFAULT_DATA_DIR): StackStatus | undefined {
  const paths = stackPaths(dataDir);
  const state = readState(paths.stateFile);
  if (state === undefined) return undefined;
  const running = runningParts(state);
  return {
    dataDir,
    parts: STACK_PARTS.map((part) => ({
      part,
      running: running.includes(part),
      port: state.ports[part],
      pid: state.processes[part]?.pid,
    })),
    connections: connectionsOf(state, paths),
  };
}

export function runningParts(state: StackState | undefined): readonly StackPart[] {
  return STACK_PARTS.filter((part) => {
    const identity = state?.processes[part];
    return identity !== undefined && isRunning(identity);
  });
}

/** What runs already is reused only as it was asked for; else CLY_STACK_RUNNING. */
export function requireSameStack(
  config: StackConfig,
  found: StackState | undefined,
  running: readonly StackPart[],
): void {
  if (found === undefined || running.length === 0) return;
  const samePorts = JSON.stringify(sorted(found.ports)) === JSON.stringify(sorted(config.ports));
  const wanted = config.parts.includes('kafka') && running.includes('kafka');
  const sameListeners = JSON.stringify(found.extraListeners) === JSON.stringify(config.extraListeners);
  if (samePorts && (sameListeners || !wanted)) return;
  const ports = running.map((part) => `${part} on port ${found.ports[part]}`).join(', ');
  throw new ClyraError(
    'CLY_STACK_RUNNING',
    `a stack with other ports or listeners runs in ${config.dataDir} (${ports}): stop it first, or choose another folder with --data`,
    { retry: 'never', context: { dataDir: config.dataDir } },
  );
}

function sorted(record: object): [string, unknown][] {
  return Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
