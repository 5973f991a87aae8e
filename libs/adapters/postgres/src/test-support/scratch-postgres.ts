// SPDX-License-Identifier: Apache-2.0
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@clyra/testing/free-ports';
import type { PostgresConnection } from '../connection-settings.ts';
import { openSqlClient } from '../sql-client.ts';

const DEBIAN_ROOT = '/usr/lib/postgresql';
const START_DEADLINE_MS = 20_000;
/** Longer than any test lets a server take that ends by itself. */
const STOP_DEADLINE_MS = 40_000;
const SETTINGS = {
  wal_level: 'logical',
  fsync: 'off',
  max_wal_senders: '10',
  max_replication_slots: '10',
  shared_buffers: '32MB',
  wal_sender_timeout: '3s',
  listen_addresses: '127.0.0.1',
} as const;

export type ScratchPostgres = {
  readonly connection: PostgresConnection;
  readonly dataDir: string;
  /** Waits until the server has ended; later calls do nothing. */
  stop(): Promise<void>;
  /** As `stop`, and keeps the data. */
  halt(): Promise<void>;
};

/** A server of its own for one test file, in a folder that goes away with it. */
export async function startScratchPostgres(extraSettings: Record<string, string> = {}): Promise<ScratchPostgres> {
  const binDir = findBinDir();
  const dataDir = mkdtempSync(join(tmpdir(), 'clyra-postgres-'));
  const identity = unprivilegedIdentity(dataDir);
  execFileSync(join(binDir, 'initdb'), ['-D', dataDir, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-locale'], {
    ...identity,
    stdio: 'ignore',
  });
  return runPostgres(dataDir, extraSettings);
}

/** On data that is there already. */
export async function runPostgres(dataDir: string, extraSettings: Record<string, string>): Promise<ScratchPostgres> {
  const binDir = findBinDir();
  const identity = unprivilegedIdentity(dataDir);
  const port = Number(extraSettings['port'] ?? (await freePort()));
  const settings = { ...SETTINGS, ...extraSettings, port: String(port), unix_socket_directories: dataDir };
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(binDir, 'postgres'), ['-D', dataDir, ...args], { ...identity, stdio: 'ignore' });
  const killServer = (): void => void server.kill('SIGQUIT');
  process.once('exit', killServer);
  const connection = { host: '127.0.0.1', port, database: 'postgres', user: 'postgres' };
  await waitUntilReady(connection, server);
  return {
    connection,
    dataDir,
    halt: async () => {
      process.off('exit', killServer);
      await stopServer(server);
    },
    stop: async () => {
      process.off('exit', killServer);
      await stopServer(server);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function stopServer(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) {
    return;
  }
  const exited = once(server, 'exit');
  server.kill('SIGINT');
  const timer = setTimeout(() => server.kill('SIGQUIT'), STOP_DEADLINE_MS);
  await exited;
  clearTimeout(timer);
}

async function waitUntilReady(connection: PostgresConnection, server: ChildProcess): Promise<void> {
  const client = openSqlClient({ connection, connectionsMax: 1, timeouts: { connectTimeoutMs: 1_000 } });
  const deadlineMs = performance.now() + START_DEADLINE_MS;
  try {
    for (;;) {
      try {
        await client.query('select 1');
        return;
      } catch (error) {
        if (server.exitCode !== null || performance.now() > deadlineMs) {
          throw error;
        }
        await delay(50);
      }
    }
  } finally {
    await client.close();
  }
}

function findBinDir(): string {
  const installed = existsSync(DEBIAN_ROOT)
    ? readdirSync(DEBIAN_ROOT)
        .sort((left, right) => Number(right) - Number(left))
        .map((version) => join(DEBIAN_ROOT, version, 'bin'))
    : [];
  const binDir = [...foldersOnPath(), ...installed].find(
    (folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')),
  );
  if (binDir === undefined) {
    throw new Error(`install the PostgreSQL server: no initdb on PATH or below ${DEBIAN_ROOT}`);
  }
  return binDir;
}

function foldersOnPath(): readonly string[] {
  return execFileSync('sh', ['-c', 'printf %s "$PATH"'], { encoding: 'utf8' }).split(delimiter);
}

/** PostgreSQL refuses to run as root, as CI containers do; its package brings a user of its own. */
export function unprivilegedIdentity(dataDir: string): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) {
    return {};
  }
  const numberOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const identity = { uid: numberOf('-u'), gid: numberOf('-g') };
  chownSync(dataDir, identity.uid, identity.gid);
  return identity;
}
