// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { until } from './test-support/recording-stream.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

let server: ScratchPostgres;
let sql: SqlClient;

beforeAll(async () => {
  server = await startScratchPostgres();
  sql = openSqlClient({ connection: server.connection, connectionsMax: 1, timeouts: { statementTimeoutMs: 500 } });
  await sql.query('create table item (id int primary key, content bytea)');
});

afterAll(async () => {
  await sql.close();
  await server.stop();
});

describe('SqlClient', () => {
  it('binds values and gives bytes and wide integers back whole', async () => {
    const content = new Uint8Array([0, 1, 2, 255]).subarray(1);
    const result = await sql.query<{ content: Buffer; wide: string; names: string[] }>(
      'select $1::bytea as content, $2::int8 as wide, $3::text[] as names',
      [content, 9_007_199_254_740_993n, ['a', 'b"']],
    );
    expect(result.rows).toEqual([{ content: Buffer.from(content), wide: '9007199254740993', names: ['a', 'b"'] }]);
  });

  it('answers several statements with the last one', async () => {
    const result = await sql.query('select 1 as one; select 2 as two union all select 3');
    expect(result).toEqual({ rows: [{ two: 2 }, { two: 3 }], rowCount: 2 });
  });

  it('commits what resolves and rolls back what rejects', async () => {
    const answer = await sql.transaction(async (session) => {
      await session.query('insert into item values (1)');
      return 'done';
    });
    expect(answer).toBe('done');
    const failure = new Error('the caller changed its mind');
    await expect(
      sql.transaction(async (session) => {
        await session.query('insert into item values (2)');
        throw failure;
      }),
    ).rejects.toBe(failure);
    expect((await sql.query('select id from item')).rows).toEqual([{ id: 1 }]);
  });

  it('does not call a transaction committed whose failed statement was swallowed', async () => {
    const work = sql.transaction(async (session) => {
      await session.query('insert into item values (3)');
      await session.query('insert into item values (3)').catch(() => undefined);
    });
    await expect(work).rejects.toMatchObject({ code: 'CLY_SOURCE_COMMIT_REFUSED' });
    expect((await sql.query('select id from item where id = 3')).rows).toEqual([]);
  });

  it('stops a statement at its timeout and works on', async () => {
    await expect(sql.query('select pg_sleep(5)')).rejects.toMatchObject({
      code: 'CLY_SOURCE_BUSY',
      retry: 'backoff',
      context: { sqlState: '57014' },
    });
    await expect(sql.transaction((session) => session.query('select pg_sleep(5)'))).rejects.toMatchObject({
      code: 'CLY_SOURCE_BUSY',
    });
    expect((await sql.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('survives a connection that the server ends, idle or in use', async () => {
    const idleErrors: string[] = [];
    const client = openSqlClient({
      connection: server.connection,
      connectionsMax: 1,
      onIdleError: ({ code }) => idleErrors.push(code),
    });
    const pid = async (): Promise<number> =>
      (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid ?? 0;
    const idlePid = await pid();
    await sql.query('select pg_terminate_backend($1)', [idlePid]);
    await until('the idle error', () => idleErrors.length > 0);
    expect(idleErrors).toEqual(['CLY_SOURCE_UNREACHABLE']);
    await expect(
      client.transaction(async (session) => {
        const busy = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
        await sql.query('select pg_terminate_backend($1)', [busy.rows[0]?.pid ?? 0]);
        await session.query('select 1');
      }),
    ).rejects.toMatchObject({ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' });
    expect(await pid()).not.toBe(idlePid);
    await client.close();
  });

  it('names a server that is not there, within the connect timeout', async () => {
    const client = openSqlClient({
      connection: { ...server.connection, port: 1 },
      timeouts: { connectTimeoutMs: 1_000 },
    });
    await expect(client.query('select 1')).rejects.toMatchObject({ code: 'CLY_SOURCE_UNREACHABLE', retry: 'backoff' });
    await expect(client.transaction((session) => session.query('select 1'))).rejects.toMatchObject({
      code: 'CLY_SOURCE_UNREACHABLE',
    });
    await client.close();
  });
});
