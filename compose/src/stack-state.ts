// SPDX-License-Identifier: Apache-2.0
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ProcessIdentity } from './process/process-identity.ts';
import type { ExtraListener, StackPart, StackPorts } from './stack-config.ts';

/** `stack.json` in the data folder: what was started and is not known to have ended. */
export type StackState = {
  readonly format: 'clyra/stack/v0';
  readonly ports: StackPorts;
  readonly extraListeners: readonly ExtraListener[];
  readonly processes: Readonly<Partial<Record<StackPart | 'guard', ProcessIdentity>>>;
};

/** Told of every process as it is launched. */
export type RegisterProcess = (part: StackPart | 'guard', identity: ProcessIdentity) => void;

const PRIVATE_MODE = 0o600;

/** undefined where no stack was started, or its file was cut off by a full disk. */
export function readState(file: string): StackState | undefined {
  try {
    const state: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Synchronous on purpose: between a process's start and this write nothing else may run, or it could be lost. */
export function writeState(file: string, state: StackState): void {
  const partial = `${file}.partial`;
  writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`, { mode: PRIVATE_MODE });
  renameSync(partial, file);
}

export function removeState(file: string): void {
  rmSync(file, { force: true });
}

function isState(value: unknown): value is StackState {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === 'clyra/stack/v0';
}
