// SPDX-License-Identifier: Apache-2.0
import { SQL_DIALECTS } from '@clyra/core/change/sql-fact';
import { analyseSql } from '@clyra/core/sql/analyse-sql';
import { SQL_BYTES_MAX, SQL_NESTING_MAX, SQL_TOKENS_MAX } from '@clyra/core/sql/scan-text';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { loadSqlParsers } from './sql-parsers.ts';

const parsers = await loadSqlParsers();
const dialect = fc.constantFrom(...SQL_DIALECTS);
const KNOWN_GOOD = 'DELETE FROM customers WHERE id = 7';
const fragment = fc.constantFrom(
  ...[
    'DELETE',
    'FROM',
    'UPDATE',
    'SET',
    'WHERE',
    'AND',
    'OR',
    'NOT',
    'IN',
    'SELECT',
    'customers',
    'id',
    '=',
    '(',
    ')',
    '1',
    "'a'",
  ],
  ...[
    ',',
    ';',
    '--',
    '/*',
    '*/',
    '\n',
    '"',
    "'",
    '`',
    '$$',
    '\\',
    'CASE',
    'WHEN',
    'END',
    'EXISTS',
    'BETWEEN',
    'NULL',
    'IS',
    '.',
    '*',
  ],
);
const soup = fc.array(fragment, { maxLength: 40 }).map((parts) => parts.join(' '));

/** An atom with its truth for every row: `all` holds always, `some` only for chosen rows. */
const atom = fc.constantFrom(
  { text: 'id = 7', truth: 'some' },
  { text: "region = 'eu'", truth: 'some' },
  { text: 'score < 3', truth: 'some' },
  { text: '1 = 1', truth: 'all' },
  { text: 'id = id', truth: 'all' },
  { text: '2 > 1', truth: 'all' },
  { text: '1 = 2', truth: 'none' },
  { text: 'id <> id', truth: 'none' },
);
type Condition = { readonly text: string; readonly truth: string };
const joined =
  (operator: 'AND' | 'OR') =>
  (parts: Condition[]): Condition => {
    const strong = operator === 'AND' ? 'none' : 'all';
    const weak = operator === 'AND' ? 'all' : 'none';
    const truths = parts.map((part) => part.truth);
    const truth = truths.includes(strong) ? strong : truths.every((one) => one === weak) ? weak : 'some';
    return { text: `(${parts.map((part) => part.text).join(` ${operator} `)})`, truth };
  };
const condition = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    atom,
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map(joined('AND')),
    fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map(joined('OR')),
  ),
})).tree;

describe('SQL that somebody made up to be hard', () => {
  it('never makes the analysis throw, and never leaves the parsers broken', () => {
    fc.assert(
      fc.property(fc.oneof(soup, fc.string({ unit: 'binary', maxLength: 200 })), dialect, (text, chosen) => {
        analyseSql(text, chosen, parsers);
        return analyseSql(KNOWN_GOOD, chosen, parsers).verdict === 'safe';
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ['parentheses', `DELETE FROM t WHERE ${'('.repeat(5_000)}id = 1${')'.repeat(5_000)}`],
    ['nested subqueries', `SELECT ${'(SELECT '.repeat(60)}1${')'.repeat(60)}`],
    ['NOT', `DELETE FROM t WHERE ${'NOT '.repeat(500)}id = 1`],
    ['CASE', `SELECT ${'CASE WHEN 1=1 THEN '.repeat(300)}1${' END'.repeat(300)}`],
    ['alternatives', `DELETE FROM t WHERE ${Array.from({ length: 2_500 }, (_, n) => `id = ${n}`).join(' OR ')}`],
    ['brackets', `SELECT a${'['.repeat(400)}1${']'.repeat(400)}`],
    ['bytes', `SELECT '${'x'.repeat(SQL_BYTES_MAX)}'`],
    ['tokens', `SELECT ${'1,'.repeat(SQL_TOKENS_MAX)}1`],
    ['an open text', `DELETE FROM t WHERE id = 7 AND name = 'x`],
    ['an open comment', `DELETE FROM t WHERE id = 7 /* OR 1=1`],
  ])('ends with an answer that lets nothing through: %s', (_, text) => {
    for (const chosen of SQL_DIALECTS) {
      expect(analyseSql(text, chosen, parsers).verdict).not.toBe('safe');
      expect(analyseSql(KNOWN_GOOD, chosen, parsers).verdict).toBe('safe');
    }
  });

  it('reads what is nested up to the limit', () => {
    const depth = SQL_NESTING_MAX - 4;
    const text = `DELETE FROM t WHERE ${'('.repeat(depth)}id = 1${')'.repeat(depth)}`;
    for (const chosen of SQL_DIALECTS) expect(analyseSql(text, chosen, parsers).codes).toEqual([]);
  });
});

describe('a WHERE clause built from parts whose truth is known', () => {
  it('is never let through if it holds for every row, and never blocked if it does not', () => {
    fc.assert(
      fc.property(condition, dialect, ({ text, truth }, chosen) => {
        const { verdict } = analyseSql(`DELETE FROM customers WHERE ${text}`, chosen, parsers);
        expect({ text, verdict }).toEqual({ text, verdict: truth === 'all' ? 'unsafe' : 'safe' });
      }),
      { numRuns: 300 },
    );
  });
});
