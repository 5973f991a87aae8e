// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { statementTarget } from './statement-target.ts';

const CONTEXT = { database: 'CRM', schema: 'PUBLIC' };

describe('the table that a statement changes', () => {
  it.each([
    ['insert into contacts values (1)', 'CRM.PUBLIC.CONTACTS'],
    ['INSERT OVERWRITE INTO other.contacts select 1', 'CRM.OTHER.CONTACTS'],
    ['-- why\n/* and\nwhat */ merge into "Crm"."a.b"."C ""x""" using s on true', 'Crm.a.b.C "x"'],
    ['update lake.raw.contacts c set a = 1', 'LAKE.RAW.CONTACTS'],
    ['delete from contacts', 'CRM.PUBLIC.CONTACTS'],
    ['truncate contacts', 'CRM.PUBLIC.CONTACTS'],
    ['TRUNCATE TABLE IF EXISTS contacts;', 'CRM.PUBLIC.CONTACTS'],
    ['copy into contacts(id) from @stage', 'CRM.PUBLIC.CONTACTS'],
    ['create or replace transient table contacts as select 1', 'CRM.PUBLIC.CONTACTS'],
    ['alter table if exists contacts add column a int', 'CRM.PUBLIC.CONTACTS'],
  ])('is read where the grammar puts it: %s', (text, name) => {
    expect(statementTarget(text, CONTEXT)).toBe(name);
  });

  it.each([
    'insert all when a then into t1 else into t2 select 1',
    'insert into identifier($name) values (1)',
    'copy into @stage from contacts',
    "execute immediate 'delete from contacts'",
    'call load()',
    'with c as (select 1) select * from c',
    'begin delete from contacts; end',
    "insert into table('contacts') select 1",
    'update',
    '',
  ])('is not guessed: %s', (text) => {
    expect(statementTarget(text, CONTEXT)).toBeUndefined();
  });

  it('is not completed from a session that has no database', () => {
    expect(statementTarget('delete from contacts', { database: '', schema: 'PUBLIC' })).toBeUndefined();
  });
});
