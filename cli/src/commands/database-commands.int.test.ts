// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { startTestStack } from '@clyra/testing/harness';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../run-cli.ts';

const SET_UP_MS = 240_000;

let folder: string;
let url: string;
let admin: SqlClient;

beforeAll(async () => {
  const stack = await startTestStack({ parts: ['postgres'] });
  if (stack.postgres === undefined) throw new Error('the test stack has PostgreSQL');
  const { host, port, user, password = '' } = stack.postgres;
  const database = stack.topicPrefix;
  const server = openSqlClient({ connection: stack.postgres, connectionsMax: 1 });
  await server.query(`create database ${database}`);
  await server.query(`create role ${database}_app login`);
  await server.close();
  admin = openSqlClient({ connection: { ...stack.postgres, database } });
  await admin.query(`create table a (id int primary key, note text); create table b (like a including all);
    insert into a values (1, 'x'), (2, 'y'); insert into b values (1, 'x'), (2, 'z')`);
  url = `postgres://${user}${password === '' ? '' : `:${String(password)}`}@${host}:${port}/${database}`;
  folder = await mkdtemp(join(tmpdir(), 'clyra-cli-'));
}, SET_UP_MS);

afterAll(async () => {
  await admin.close();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: readonly string[]): Promise<{ exitCode: number; value: Record<string, unknown> }> {
  let printed = '';
  const exitCode = await runCli(['--data-dir', folder, '--json', ...args], {
    stdout: {
      write: (text) => {
        printed += text;
      },
    },
    stderr: { write: () => undefined },
    clock: { nowMs: () => Date.now(), after: () => () => {} },
    random: { bytes: (size) => new Uint8Array(size).fill(9) },
  });
  return { exitCode, value: printed === '' ? {} : (JSON.parse(printed) as Record<string, unknown>) };
}

describe('clyra snapshot and clyra diff', () => {
  it('keep a state, and name what changed since, for machines and for people', async () => {
    const [before, after, page] = ['before.json', 'after.json', 'page.html'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const taken = await run('snapshot', '--tenant', 'acme', '--url', url, '--out', before, '--relation', 'public.*');
    expect(taken).toMatchObject({ exitCode: 0, value: { relations: 2 } });
    expect((await run('diff', 'snapshots', before, before)).exitCode).toBe(0);
    await admin.query('alter table a add column extra int');
    await run('snapshot', '--tenant', 'acme', '--url', url, '--out', after, '--relation', 'public.*');
    const { exitCode, value } = await run('diff', 'snapshots', before, after, '--html', page);
    expect(exitCode).toBe(1);
    expect(value).toMatchObject({
      equal: false,
      schema: [{ relation: 'public.a', what: 'column', name: 'extra', change: 'added' }],
    });
    expect(await readFile(page, 'utf8')).toContain('<caption>public.a</caption>');
    expect(await readFile(before, 'utf8')).not.toContain('127.0.0.1');
    await admin.query('alter table a drop column extra');
  });

  it('compare rows, and show a key only where it was asked for', async () => {
    const args = ['diff', 'tables', '--tenant', 'acme', '--before', url, '--table', 'public.a=public.b'];
    const hidden = await run(...args);
    expect(hidden).toMatchObject({ exitCode: 1, value: { tables: [{ changed: { count: 1 } }] } });
    expect(JSON.stringify(hidden.value)).toMatch(/"keys":\["[0-9a-f]{32}"\]/);
    expect((await run(...args, '--show-keys')).value).toMatchObject({ tables: [{ changed: { keys: ['2'] } }] });
    expect((await run(...args.slice(0, -1), 'nonsense')).exitCode).toBe(2);
  });

  it('compare metric definitions', async () => {
    const files = ['one.json', 'two.json'].map((name) => join(folder, name)) as [string, string];
    await writeFile(files[0], JSON.stringify({ metrics: [{ name: 'revenue', type: 'simple' }] }));
    await writeFile(files[1], JSON.stringify({ metrics: [{ name: 'revenue', type: 'ratio' }] }));
    expect(await run('diff', 'metrics', ...files)).toMatchObject({
      exitCode: 1,
      value: { metrics: [{ delta: 'C3' }] },
    });
    await writeFile(files[1], '{');
    expect((await run('diff', 'metrics', ...files)).exitCode).toBe(2);
  });
});

describe('clyra guard', () => {
  it('is installed, told about, and taken away', async () => {
    expect((await run('guard', 'status', '--url', url)).value).toEqual({ installed: false });
    const writer = `${url.split('/').at(-1)}_app`;
    const install = [
      'guard',
      'install',
      'crm',
      '--tenant',
      'acme',
      '--url',
      url,
      '--guard',
      'public.a',
      '--writer',
      writer,
    ];
    expect(await run(...install)).toMatchObject({ exitCode: 0, value: { guarded: ['public.a'], problems: [] } });
    await expect(admin.query('insert into a values (3)')).rejects.toMatchObject({ code: 'CLY_GUARD_NO_GRANT' });
    await admin.query('alter event trigger clyra_on_ddl disable');
    expect(await run('guard', 'status', '--url', url)).toMatchObject({ exitCode: 1, value: { mode: 'enforce' } });
    expect((await run(...install, '--review')).value).toMatchObject({ mode: 'review' });
    await admin.query('insert into a values (3)');
    expect((await run('guard', 'uninstall', '--url', url)).exitCode).toBe(0);
    expect((await run('guard', 'status', '--url', url)).exitCode).toBe(1);
  });
});
