// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { recorderStreams } from '@clyra/cli/quickstart/await-evidence';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import { POSTGRES_SUPERUSER, postgresPassword } from '@clyra/stack/postgres/postgres';
import { stackPaths } from '@clyra/stack/stack-paths';
import { FaultWorld } from '../../faults/world/fault-world.ts';
import { WORLD_PARTITION, WORLD_TENANT } from '../../faults/world/world-policy.ts';
import { runClyra } from '../run-clyra.ts';

const EFFECTS =
  'source_id: crm, relations: [public.contacts], operations: [insert, update], rows_max: 2, ttl_seconds: 600';
const POLICY = `
name: grants-e2e
routes:
  - { id: contacts.write, method: POST, path: /contacts, upstream: clyra-grants, effects: { ${EFFECTS} } }
  - { id: contacts.migrate, method: POST, path: /migrations, upstream: clyra-grants, effects: { ${EFFECTS}, members: /members } }
guarded:
  - { source_id: crm, relations: [public.contacts] }
`;
const CLI_MS = 60_000;
const HOUR_MS = '3600000';
/** Intake knows no upstream but itself here; its list must have an entry. */
const NO_UPSTREAM = 'none=http://127.0.0.1:9';

export type Granted = { readonly event_id: string; readonly grants: readonly { readonly grant: string }[] };

/** All services on a stack of their own, and a database whose guard was installed as people install it. */
export class GrantWorld {
  readonly world: FaultWorld;
  readonly admin: SqlClient;
  /** The role that may write with a grant. */
  readonly app: SqlClient;

  private constructor(world: FaultWorld, clients: { readonly admin: SqlClient; readonly app: SqlClient }) {
    this.world = world;
    this.admin = clients.admin;
    this.app = clients.app;
  }

  static async start(seed: number): Promise<GrantWorld> {
    const world = await FaultWorld.start({ name: 'grants', seed });
    try {
      await world.makeDatabase();
      const made = new GrantWorld(world, await openClients(world));
      await made.#fill();
      return made;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  async #fill(): Promise<void> {
    const { world } = this;
    await this.admin.query(`create table public.contacts (id int primary key, note text);
      alter table public.contacts owner to ${world.database.user}; create role app login password 'app'`);
    const url = urlOf({ ...world.database, ...superuser(world) });
    await this.clyra(
      'guard',
      'install',
      'crm',
      '--tenant',
      WORLD_TENANT,
      '--url',
      url,
      '--guard',
      'public.contacts',
      '--writer',
      'app',
    );
    const env = { CLYRA_UPSTREAMS: NO_UPSTREAM, CLYRA_WINDOW_MS: HOUR_MS, CLYRA_HOLD_MS: '10000' };
    const places = { CLYRA_GRANT_PLACES_FILE: world.parts.local.layout.grantPlacesFile };
    await Promise.all([
      world.service('enforcer').start(),
      world.service('intake', { env: { ...env, ...places } }).start(),
      world.service('bundler').start(),
    ]);
    const policy = join(world.parts.folder, 'policy.yaml');
    await writeFile(policy, POLICY);
    await this.clyra('tenant', 'open', WORLD_TENANT, '--policy', policy, '--partition', String(WORLD_PARTITION));
    const source = ['source', 'add', 'crm', '--tenant', WORLD_TENANT, '--guard', 'public.contacts'];
    await this.clyra(...source, '--url', urlOf(world.database));
    await world.service('recorder').start();
    // What is committed before its slot stands is observed by nobody.
    await recorderStreams(world.service('recorder').url, { clock: systemClock, deadlineMs: CLI_MS, sourceId: 'crm' });
  }

  /** The grants of an allowed change. */
  async ask(target: string, body: JsonObject = {}): Promise<Granted> {
    const { settings, credential } = this.world.parts;
    const text = JSON.stringify(body);
    const signed = signRequest({
      ...{ keyId: credential.key_id, secret: Buffer.from(credential.secret, 'base64'), method: 'POST', target },
      ...{ tenant: WORLD_TENANT, actor: 'migrator', nowMs: Date.now(), body: text },
      nonce: Buffer.from(systemRandom.bytes(16)).toString('hex'),
      idempotencyKey: Buffer.from(systemRandom.bytes(8)).toString('hex'),
    });
    const response = await fetch(`${settings.gateway_url}${target}`, {
      ...{ method: 'POST', body: text, headers: { ...signed, 'content-type': 'application/json' } },
      signal: AbortSignal.timeout(CLI_MS),
    });
    const answer = (await response.json()) as Granted;
    if (response.status !== 200) throw new Error(`intake answered ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** The text of the one grant of a change. */
  async grant(): Promise<string> {
    return (await this.ask('/contacts')).grants[0]?.grant ?? '';
  }

  async clyra(...args: readonly string[]): Promise<void> {
    const ended = await runClyra(['--data-dir', this.world.parts.local.layout.dataDir, ...args], CLI_MS);
    if (ended.code !== 0) throw new Error(`clyra ${args[0]} ended with ${ended.code}: ${ended.stdout}${ended.stderr}`);
  }
}

async function openClients(world: FaultWorld): Promise<{ admin: SqlClient; app: SqlClient }> {
  const as = (who: Pick<PostgresConnection, 'user' | 'password'>): SqlClient =>
    openSqlClient({ connection: { ...world.database, ...who }, connectionsMax: 2 });
  const clients = { admin: as(superuser(world)), app: as({ user: 'app', password: 'app' }) };
  for (const client of Object.values(clients)) world.onClose(() => client.close());
  return clients;
}

function superuser({ parts }: FaultWorld): { user: string; password: string } {
  return { user: POSTGRES_SUPERUSER, password: postgresPassword(stackPaths(parts.stackOptions.dataDir)) };
}

function urlOf({ host, port, user, password, database }: PostgresConnection): string {
  return `postgres://${user}:${encodeURIComponent(String(password))}@${host}:${port}/${database}`;
}
