// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { launch } from '../process/launch.ts';
import { LOCAL_ADDRESS } from '../process/port-holder.ts';
import type { ProcessIdentity } from '../process/process-identity.ts';
import { runProgram } from '../process/run-program.ts';
import { waitReady } from '../process/wait-ready.ts';
import type { StackConfig } from '../stack-config.ts';
import type { StackPaths } from '../stack-paths.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { giveFolderTo, postgresUser, type SystemUser } from './postgres-user.ts';

export const POSTGRES_SUPERUSER = 'clyra';

const INITDB_DEADLINE_MS = 180_000;
const PASSWORD_BYTES = 24;
const SECRET_MODE = 0o600;
/** The kernel's limit for a socket's path, less the name that PostgreSQL appends. */
const SOCKET_FOLDER_CHARS_MAX = 80;
const READY_LINE_INDEX = 7;

/** Settings that the recorder relies on, and small memory since the rest of the stack runs beside it. */
const SETTINGS = {
  wal_level: 'logical',
  max_replication_slots: '20',
  max_wal_senders: '20',
  max_connections: '100',
  shared_buffers: '64MB',
  log_checkpoints: 'off',
} as const;

/**
 * Starts PostgreSQL on localhost. `onLaunched` is called at once with the process, so that it can be ended also when
 * it never becomes ready (CLY_STACK_POSTGRES).
 */
export async function startPostgres(
  config: StackConfig,
  request: {
    readonly paths: StackPaths;
    readonly binaries: PostgresBinaries;
    readonly onLaunched: (identity: ProcessIdentity) => void;
  },
): Promise<void> {
  const { paths, binaries } = request;
  const user = postgresUser();
  if (user !== undefined) giveFolderTo(user, paths.postgresHome);
  await initialiseOnce(paths, { binaries, user });
  const outputFile = join(paths.logs, 'postgres.log');
  const identity = await launch({
    program: binaries.postgres,
    args: ['-D', paths.postgresData, ...settingArgs(config, paths)],
    cwd: paths.postgresHome,
    outputFile,
    ...(user === undefined ? {} : { user }),
  });
  request.onLaunched(identity);
  await waitReady({
    title: 'PostgreSQL',
    code: 'CLY_STACK_POSTGRES',
    identity,
    deadlineMs: config.startDeadlineMs,
    probe: () => saysReady(paths.postgresData, identity.pid),
    logFiles: [outputFile],
  });
}

/** The superuser's password, made when the data folder was. */
export function postgresPassword(paths: StackPaths): string {
  return readFileSync(passwordFile(paths), 'utf8').trim();
}

function passwordFile(paths: StackPaths): string {
  return join(paths.secrets, 'postgres-password');
}

function settingArgs(config: StackConfig, paths: StackPaths): string[] {
  const socketFolder = paths.postgresHome.length > SOCKET_FOLDER_CHARS_MAX ? '' : paths.postgresHome;
  const settings = {
    ...SETTINGS,
    listen_addresses: LOCAL_ADDRESS,
    port: String(config.ports.postgres),
    unix_socket_directories: socketFolder,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** A cluster is made once; a making that was cut off starts again from nothing. */
async function initialiseOnce(
  paths: StackPaths,
  { binaries, user }: { readonly binaries: PostgresBinaries; readonly user: SystemUser | undefined },
): Promise<void> {
  const initialisedMark = join(paths.postgresHome, 'initialised');
  if (existsSync(initialisedMark)) return;
  rmSync(paths.postgresData, { recursive: true, force: true });
  mkdirSync(paths.secrets, { recursive: true });
  const password = randomBytes(PASSWORD_BYTES).toString('base64url');
  writeFileSync(passwordFile(paths), `${password}\n`, { mode: SECRET_MODE });
  const { exitCode, output } = await withPasswordFor(user, { folder: paths.postgresHome, password }, (file) =>
    runProgram({
      program: binaries.initdb,
      args: [
        ...['-D', paths.postgresData, `--username=${POSTGRES_SUPERUSER}`, `--pwfile=${file}`],
        ...['--auth-host=scram-sha-256', '--auth-local=scram-sha-256'],
        ...['--encoding=UTF8', '--locale=C', '--data-checksums'],
      ],
      cwd: paths.postgresHome,
      deadlineMs: INITDB_DEADLINE_MS,
      ...(user === undefined ? {} : { user }),
    }),
  );
  const logFile = join(paths.logs, 'postgres-initdb.log');
  writeFileSync(logFile, output);
  if (exitCode !== 0) {
    throw new ClyraError('CLY_STACK_POSTGRES', `initdb failed; see ${logFile}.\n${output.trimEnd()}`, {
      retry: 'never',
      context: { exitCode: exitCode ?? -1 },
    });
  }
  writeFileSync(initialisedMark, '');
}

/** initdb reads the password from a file that its own user can read; the file is gone when this resolves. */
async function withPasswordFor<Value>(
  user: SystemUser | undefined,
  { folder, password }: { readonly folder: string; readonly password: string },
  work: (file: string) => Promise<Value>,
): Promise<Value> {
  const file = join(folder, 'initial-password');
  writeFileSync(file, password, { mode: SECRET_MODE });
  if (user !== undefined) chownSync(file, user.uid, user.gid);
  try {
    return await work(file);
  } finally {
    rmSync(file, { force: true });
  }
}

/** The server writes its own state there, so that no client and no password is needed to ask. */
function saysReady(dataDir: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    return Number(lines[0]) === pid && lines[READY_LINE_INDEX]?.trim() === 'ready';
  } catch {
    return false;
  }
}
