// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';

export type StackPaths = {
  readonly dataDir: string;
  readonly logs: string;
  readonly kafkaConfig: string;
  readonly kafkaData: string;
  readonly postgresHome: string;
  readonly postgresData: string;
  readonly secrets: string;
  readonly stateFile: string;
  readonly lockFile: string;
};

/** Kafka preallocates indexes and PostgreSQL its write-ahead log: below this a start fails half-way, unclearly. */
const FREE_BYTES_MIN = 512 * 1024 * 1024;
const PRIVATE_MODE = 0o700;
/** PostgreSQL's own user must be able to pass through. */
const PASSABLE_MODE = 0o755;

export function stackPaths(dataDir: string): StackPaths {
  return {
    dataDir,
    logs: join(dataDir, 'logs'),
    kafkaConfig: join(dataDir, 'kafka'),
    kafkaData: join(dataDir, 'kafka', 'data'),
    postgresHome: join(dataDir, 'postgres'),
    postgresData: join(dataDir, 'postgres', 'data'),
    secrets: join(dataDir, 'secrets'),
    stateFile: join(dataDir, 'stack.json'),
    lockFile: join(dataDir, 'stack.lock'),
  };
}

/** What `wipe` removes: the stack's own folders, nothing else that may lie beside them. */
export function wipedFolders(paths: StackPaths): readonly string[] {
  return [paths.kafkaConfig, paths.postgresHome, paths.secrets, paths.logs];
}

/** Rejects with CLY_STACK_DIR when the folder cannot be made and CLY_STACK_DISK_FULL when the disk is nearly full. */
export function prepareFolders(paths: StackPaths): void {
  try {
    for (const folder of [paths.dataDir, paths.logs, paths.kafkaConfig, paths.postgresHome]) {
      mkdirSync(folder, { recursive: true, mode: PASSABLE_MODE });
    }
    mkdirSync(paths.secrets, { recursive: true, mode: PRIVATE_MODE });
  } catch (cause) {
    throw new ClyraError('CLY_STACK_DIR', `cannot write in ${paths.dataDir}: choose another folder with --data`, {
      retry: 'never',
      context: { dataDir: paths.dataDir },
      cause,
    });
  }
  const { bavail, bsize } = statfsSync(paths.dataDir);
  const freeBytes = bavail * bsize;
  if (freeBytes < FREE_BYTES_MIN) {
    const freeMb = Math.floor(freeBytes / 1024 / 1024);
    throw new ClyraError(
      'CLY_STACK_DISK_FULL',
      `only ${freeMb} MB are free under ${paths.dataDir} and the stack needs 512 MB: free space or choose another folder with --data`,
      { retry: 'never', context: { dataDir: paths.dataDir, freeBytes } },
    );
  }
}
