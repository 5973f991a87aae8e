// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { scratchSql } from './scratch-sql.ts';

const PLACES = { databases: new Set(['shop', 'Old "Shop"']), schemas: new Set(['mart', 'till']) };
const made = (text: string): string => scratchSql(text, PLACES, 'pinned');

describe('the SQL of a dbt run, for a database of another name', () => {
  it.each([
    ['select * from "shop"."mart"."a"', 'select * from "mart"."a"'],
    ['select * from shop.mart.a, SHOP.till.b', 'select * from mart.a, till.b'],
    ['select "shop"."mart"."a"."x" from"shop"."mart"."a"', 'select "mart"."a"."x" from"mart"."a"'],
    ['delete from "Old ""Shop"""."till"."b"', 'delete from "till"."b"'],
    ['select (current_date), localtimestamp', 'select (pinned."current_date"()), pinned."localtimestamp"()'],
    ['select Current_Timestamp as current_date', 'select pinned."current_timestamp"() as current_date'],
  ])('changes %s', (text, other) => {
    expect(made(text)).toBe(other);
  });

  it.each([
    "select 'from \"shop\".\"mart\".\"a\"', 'it''s shop.mart.a', e'\\' shop.mart.a', current_date_x, t . current_date",
    '-- "shop"."mart"."a" on current_date\nselect 1 /* shop.mart.a /* current_date */ shop.mart.a */',
    'select $$ shop.mart.a current_date $$, $x$ shop.mart.a $$ $x$',
    'select shop.mart, shop.other.a, other.mart.a, a.shop.mart.b, current_timestamp(3), "current_date"',
    'select "a.""shop"".mart.b", "ashop.mart.b" from x_shop.mart.a',
    "select 'not closed shop.mart.a",
    '',
  ])('leaves %j as it is', (text) => {
    expect(made(text)).toBe(text);
  });
});
