// SPDX-License-Identifier: Apache-2.0
import { chownSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlClient } from '../sql-client.ts';
import { runPostgres, type ScratchPostgres, unprivilegedIdentity } from './scratch-postgres.ts';

/**
 * A standby of the server takes its place: the same system, the same address, the next timeline, and without its logical
 * slots, as before version 17. The standby comes from a copy of the stopped server, since not every distribution of
 * PostgreSQL that is tested brings pg_basebackup. Resolves with what ends the new primary.
 */
export async function promoteInPlace(primary: ScratchPostgres): Promise<ScratchPostgres> {
  const { port } = primary.connection;
  const dataDir = mkdtempSync(join(tmpdir(), 'clyra-standby-'));
  const { uid, gid } = unprivilegedIdentity(dataDir);
  await primary.halt();
  cpSync(primary.dataDir, dataDir, { recursive: true, preserveTimestamps: true });
  await primary.stop();
  // A base backup leaves them out as well.
  for (const slot of readdirSync(join(dataDir, 'pg_replslot')))
    rmSync(join(dataDir, 'pg_replslot', slot), { recursive: true });
  writeFileSync(join(dataDir, 'standby.signal'), '');
  if (uid !== undefined && gid !== undefined) giveAllTo({ uid, gid }, dataDir);
  const standby = await runPostgres(dataDir, {});
  const client = openSqlClient({ connection: standby.connection, connectionsMax: 1 });
  await client.query('select pg_promote(true)');
  await client.close();
  await standby.halt();
  return runPostgres(dataDir, { port: String(port) });
}

function giveAllTo({ uid, gid }: { readonly uid: number; readonly gid: number }, folder: string): void {
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder, entry), uid, gid);
}
