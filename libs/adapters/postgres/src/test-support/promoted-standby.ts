// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlClient } from '../sql-client.ts';
import { until } from './recording-stream.ts';
import { type RunningPostgres, runPostgres, type ScratchPostgres, unprivilegedIdentity } from './scratch-postgres.ts';

/**
 * A standby of the server takes its place: the same system, the same address, the next timeline, and before version 17
 * without its logical slots. Resolves with what ends the new primary.
 */
export async function promoteInPlace(primary: ScratchPostgres): Promise<ScratchPostgres> {
  const { host, port, user } = primary.connection;
  const dataDir = mkdtempSync(join(tmpdir(), 'clyra-standby-'));
  const identity = unprivilegedIdentity(dataDir);
  const target = ['-h', host, '-p', String(port), '-U', user];
  execFileSync('pg_basebackup', ['-D', dataDir, '-R', '-X', 'stream', '-c', 'fast', ...target], {
    ...identity,
    stdio: 'ignore',
  });
  const standby = await runPostgres(dataDir, {});
  await caughtUp(primary, standby);
  await primary.stop();
  const client = openSqlClient({ connection: standby.connection, connectionsMax: 1 });
  await client.query('select pg_promote(true)');
  await client.close();
  await standby.halt();
  return runPostgres(dataDir, { port: String(port) });
}

async function caughtUp(primary: ScratchPostgres, standby: RunningPostgres): Promise<void> {
  const [left, right] = [primary, standby].map(({ connection }) => openSqlClient({ connection, connectionsMax: 1 }));
  if (left === undefined || right === undefined) throw new Error('there are two servers');
  const { rows } = await left.query<{ lsn: string }>('select pg_current_wal_flush_lsn()::text as lsn');
  await until('the standby to replay the log', async () => {
    const replayed = await right.query<{ isThere: boolean }>(
      `select coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isThere"`,
      [rows[0]?.lsn ?? '0/0'],
    );
    return replayed.rows[0]?.isThere === true;
  });
  await left.close();
  await right.close();
}
