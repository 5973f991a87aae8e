// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { SqlDialect } from '../change/sql-fact.ts';
import { scanText, writesIn } from './scan-text.ts';

describe('scanText', () => {
  it.each<[text: string, dialect: SqlDialect, tokens: string]>([
    ["DELETE FROM t WHERE a = 'it''s -- no comment'", 'postgres', "delete from t where a = '"],
    ['SELECT 1 -- DELETE FROM t\n, 2', 'postgres', 'select 1 , 2'],
    ['SELECT /* a /* b */ c */ 1', 'tsql', 'select 1'],
    ['SELECT $x$ DELETE $x$, $1', 'postgres', "select ' , $1"],
    ['SELECT [a]]b] FROM [t]', 'tsql', 'select " from "'],
    ['SELECT 1 # DELETE', 'mysql', 'select 1'],
    ["SELECT 'a\\\\b'", 'bigquery', "select '"],
  ])('reads %s as %s', (text, dialect, tokens) => {
    expect(scanText(text, dialect).tokens.join(' ')).toBe(tokens);
  });

  it.each<[text: string, dialect: SqlDialect]>([
    ["DELETE FROM t WHERE a = '\\' OR 1=1 --'", 'mysql'],
    ["DELETE FROM t WHERE a = '\\' OR 1=1 --'", 'postgres'],
    ['SELECT 1 /*! , 2 */', 'mysql'],
    ['SELECT 1 /*M! , 2 */', 'mysql'],
    ['SELECT 1 /* open', 'spark'],
    ['SELECT 1 /* a /* b */ + 1 */', 'mysql'],
    ["SELECT 'open", 'tsql'],
    ['SELECT a || b', 'mysql'],
    ['SELECT 1 WHERE a = 1--1', 'mysql'],
    [['SELECT $', '{x}'].join(''), 'databricks'],
    ['SELECT {{ x }}', 'snowflake'],
    ['SELECT 1\0', 'postgres'],
    ['\\! ls', 'postgres'],
  ])('says that it cannot know what %s means (%s)', (text, dialect) => {
    expect(scanText(text, dialect).opaque).toBe(true);
  });

  it.each([
    ['DELETE FROM t', 1],
    ['SELECT * FROM t FOR UPDATE', 0],
    ['SELECT \'DELETE FROM t\', "update"', 0],
    ['INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1', 0],
    ['MERGE INTO t USING s ON a = b WHEN MATCHED THEN DELETE', 1],
    ['SELECT TRUNCATE(1.5, 0)', 0],
    ['WITH x AS (UPDATE t SET a = 1) DELETE FROM u', 2],
  ])('counts the writes that %s begins: %d', (text, count) => {
    expect(writesIn(scanText(text, 'postgres').tokens)).toBe(count);
  });
});
