// SPDX-License-Identifier: Apache-2.0
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { startTestStack } from '@clyra/testing/harness';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Crm, startCrm } from './crm-server.ts';
import { activationBody, activations } from './payloads.ts';

const SET_UP_MS = 12 * 60_000;

describe('the demonstration CRM', () => {
  let crm: Crm;
  let sql: SqlClient;
  let slot: string;

  beforeAll(async () => {
    const { postgres, topicPrefix } = await startTestStack({ parts: ['postgres'] });
    if (postgres === undefined) throw new Error('the test stack has PostgreSQL');
    slot = `${topicPrefix}_crm`;
    const server = openSqlClient({ connection: postgres, connectionsMax: 1 });
    await server.query(`create database ${topicPrefix}`);
    await server.close();
    const connection = { ...postgres, database: topicPrefix };
    crm = await startCrm({ connection, host: '127.0.0.1', port: 0 });
    sql = openSqlClient({ connection });
    await sql.query('create publication crm for table activations, refunds, audiences');
    await sql.query(`select pg_create_logical_replication_slot('${slot}', 'pgoutput')`);
  }, SET_UP_MS);

  afterAll(async () => {
    await sql?.query('select pg_drop_replication_slot($1)', [slot]);
    await sql?.close();
    await crm?.close();
  });

  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${crm.url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

  /** The kinds of messages in the database's own log since the last call, and whether the token is among them. */
  async function logged(token: string): Promise<{ kinds: string; hasToken: boolean }> {
    const { rows } = await sql.query<{ kind: string; data: Buffer }>(
      `select chr(get_byte(data, 0)) as kind, data from pg_logical_slot_get_binary_changes($1, null, null,
        'proto_version', '1', 'publication_names', 'crm', 'messages', 'true')`,
      [slot],
    );
    return { kinds: rows.map(({ kind }) => kind).join(''), hasToken: rows.some(({ data }) => data.includes(token)) };
  }

  it('stores a write and its token in one transaction, the token first', async () => {
    const [activation] = activations();
    if (activation === undefined) throw new Error('there are payloads');
    const headers = { 'clyra-execution-token': 'token-1', 'clyra-event-id': 'event-1' };
    const answer = await post(`/activations/${activation.event}`, activationBody('acme', activation), headers);
    expect(answer.status).toBe(201);
    expect(await logged('token-1')).toEqual({ kinds: 'BMRIC', hasToken: true });
    const { rows } = await sql.query('select event_id, subject from activations');
    expect(rows).toEqual([{ event_id: 'event-1', subject: activation.event }]);
  });

  it('accepts a write without a token: that is how a bypass looks', async () => {
    expect((await post('/refunds', '{"payee":"P-1"}')).status).toBe(201);
    expect((await logged('token')).kinds).toBe('BRIC');
    expect((await post('/audiences', '{"name":"all"}')).status).toBe(201);
    expect(await (await fetch(`${crm.url}/stats`)).json()).toEqual({ activations: 1, refunds: 1, audiences: 1 });
    expect((await fetch(`${crm.url}/healthz`)).status).toBe(200);
  });
});
