// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { GuardedDatabase, refusalOf } from './test-support/guarded-database.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

let server: ScratchPostgres;
let db: GuardedDatabase;

beforeAll(async () => {
  server = await startScratchPostgres();
  db = await GuardedDatabase.make(server);
  await db.install();
  await db.admin.query(`create schema staging; create table staging.contacts (id int, note text, extra int);
    grant usage on schema staging to app; grant all on staging.contacts to app`);
});

afterAll(async () => {
  await db.close();
  await server.stop();
});

beforeEach(async () => {
  await db.write(db.admin, db.grant({ operations: ['truncate'] }), 'truncate contacts');
  await db.admin.query('truncate staging.contacts');
});

type Row = { readonly id: number; readonly note: string | null };

const contacts = async (): Promise<readonly Row[]> =>
  (await db.admin.query<Row>('select id, note from contacts order by id')).rows;
const stage = (values: string): Promise<unknown> =>
  db.admin.query(`insert into staging.contacts (id, note) values ${values}`);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const merge = (grant: string, keys = '{id}', columns: string | null = null): Promise<unknown> =>
  db.app.query(`select clyra_guard.merge_with_cert($1, 'contacts', 'staging.contacts', $2, $3) as rows`, [
    grant,
    keys,
    columns,
  ]);
const update = (grant: string, [assignments, keys]: readonly [object, object], rows = 1): Promise<unknown> =>
  db.app.query(`select clyra_guard.safe_update($1, 'contacts', $2::text::jsonb, $3::text::jsonb, $4)`, [
    grant,
    JSON.stringify(assignments),
    JSON.stringify(keys),
    rows,
  ]);

async function statementOf(call: string): Promise<string> {
  const { rows } = await db.app.query<{ text: string }>(`select clyra_guard.${call} as text`);
  return rows[0]?.text ?? '';
}

describe('merge_with_cert', () => {
  it('merges by key under a grant, and says how many rows', async () => {
    await db.write(db.app, db.grant(), `insert into contacts values (1, 'old')`);
    await stage(`(1, 'new'), (2, 'two')`);
    expect(await merge(db.grant())).toMatchObject({ rows: [{ rows: '2' }] });
    expect(await contacts()).toEqual([
      { id: 1, note: 'new' },
      { id: 2, note: 'two' },
    ]);
  });

  it('runs exactly the statement that a change set can name beforehand', async () => {
    const text = await statementOf(`merge_statement('contacts', 'staging.contacts', '{id}')`);
    expect(text).toBe(
      'merge into public.contacts as t using staging.contacts as s on t.id = s.id when matched then update set note = s.note when not matched then insert (id, note) values (s.id, s.note)',
    );
    await stage(`(1, 'one')`);
    await merge(db.grant({ member: digest(text) }));
    expect(await refusalOf(merge(db.grant({ member: digest(text) }), '{note}'))).toBe('CLY_GUARD_GRANT_MEMBER');
    expect(await contacts()).toEqual([{ id: 1, note: 'one' }]);
  });

  it('writes only the columns that it is told', async () => {
    await stage(`(1, 'not wanted')`);
    await merge(db.grant(), '{id}', '{id}');
    expect(await contacts()).toEqual([{ id: 1, note: null }]);
  });

  it.each([
    ['without a grant', 'no grant', '{id}', 'CLY_GUARD_GRANT_MALFORMED'],
    ['for more rows than were allowed', undefined, '{id}', 'CLY_GUARD_ROWS'],
    ['without a key', undefined, '{}', 'CLY_GUARD_COLUMNS'],
    ['by a column that only one side has', undefined, '{extra}', 'CLY_GUARD_COLUMNS'],
  ])('is refused %s, and nothing is written', async (_what, grant, keys, code) => {
    await stage(`(1, 'a'), (2, 'b'), (3, 'c')`);
    expect(await refusalOf(merge(grant ?? db.grant(), keys))).toBe(code);
    expect(await contacts()).toEqual([]);
  });

  it.each([
    ['twice', `(1, 'a'), (1, 'b')`],
    ['as null', `(null, 'a')`],
  ])('is refused where a key stands %s in the source, and its grant is kept', async (_what, values) => {
    await stage(values);
    const grant = db.grant();
    expect(await refusalOf(merge(grant))).toBe('CLY_GUARD_KEYS');
    await db.admin.query('truncate staging.contacts');
    await merge(grant);
  });
});

describe('safe_update', () => {
  beforeEach(() => db.write(db.app, db.grant(), `insert into contacts values (1, 'a'), (2, 'b')`));

  it('updates the row with the key under a grant, with values that are never read as SQL', async () => {
    await update(db.grant(), [{ note: `x'; drop table contacts; --` }, { id: 2 }]);
    await update(db.grant(), [{ note: null }, { id: 1 }]);
    expect(await contacts()).toEqual([
      { id: 1, note: null },
      { id: 2, note: `x'; drop table contacts; --` },
    ]);
  });

  it('runs exactly the statement that a change set can name beforehand', async () => {
    const text = await statementOf(`update_statement('contacts', '{"note": "n", "id": 5}', '{"id": 1}')`);
    expect(text).toBe(`update public.contacts set id = '5', note = 'n' where id = '1'`);
    await update(db.grant({ member: digest(text) }), [{ note: 'n', id: 5 }, { id: 1 }]);
    expect(await refusalOf(update(db.grant({ member: digest(text) }), [{ note: 'other', id: 5 }, { id: 1 }]))).toBe(
      'CLY_GUARD_GRANT_MEMBER',
    );
  });

  it.each<[string, object, object, number, string]>([
    ['where no row has the key', { note: 'x' }, { id: 9 }, 1, 'CLY_GUARD_ROWS'],
    ['where more rows have it than were expected', { note: 'x' }, { note: 'a' }, 2, 'CLY_GUARD_ROWS'],
    ['without a key', { note: 'x' }, {}, 1, 'CLY_GUARD_COLUMNS'],
    ['with a key that is null', { note: 'x' }, { id: null }, 1, 'CLY_GUARD_KEYS'],
    ['of a column that is not there', { 'note" = \'x\', "id': 1 }, { id: 1 }, 1, 'CLY_GUARD_COLUMNS'],
    ['of a list', [], { id: 1 }, 1, 'CLY_GUARD_COLUMNS'],
  ])('is refused %s', async (_what, assignments, keys, rows, code) => {
    const before = await contacts();
    expect(await refusalOf(update(db.grant(), [assignments, keys], rows))).toBe(code);
    expect(await contacts()).toEqual(before);
  });

  it('is nothing for somebody who is no writer', async () => {
    const call = `select clyra_guard.update_statement('contacts', '{"note": "x"}', '{"id": 1}')`;
    expect(await refusalOf(db.stranger.query(call))).toBe('CLY_SOURCE_PRIVILEGE');
  });
});
