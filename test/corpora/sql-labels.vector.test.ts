// SPDX-License-Identifier: Apache-2.0
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { SQL_DIALECTS, type SqlDialect } from '@clyra/core/change/sql-fact';
import { analyseSql } from '@clyra/core/sql/analyse-sql';
import { describe, expect, it } from '@jest/globals';
import { labelledSql } from './sql-labels.ts';

const parsers = await loadSqlParsers();
/** Of the statements that are safe at most this share may be blocked. */
const SAFE_BLOCKED_SHARE_MAX = 0.01;

function judged(dialect: SqlDialect) {
  return labelledSql(dialect).map((statement) => ({ ...statement, ...analyseSql(statement.sql, dialect, parsers) }));
}

function spansIn(tree: JsonValue | undefined): (JsonValue | undefined)[] {
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, value]) => [...(name === 'span' ? [value] : []), ...spansIn(value)]);
}

function shapeOf(value: JsonValue | undefined): string {
  return JSON.stringify(value ?? null).replaceAll(/\d+/g, '0');
}

describe.each(SQL_DIALECTS)('labelled statements of %s', (dialect) => {
  const statements = judged(dialect);
  const labelled = (label: string) => statements.filter((statement) => statement.label === label);

  it('are at least a hundred in at least forty shapes', () => {
    expect(statements.length).toBeGreaterThanOrEqual(100);
    expect(new Set(statements.map((statement) => statement.shape)).size).toBeGreaterThanOrEqual(40);
  });

  it('have no unsafe one allowed', () => {
    expect(labelled('unsafe').filter(({ verdict }) => verdict === 'safe')).toEqual([]);
    expect(labelled('held').filter(({ verdict }) => verdict === 'safe')).toEqual([]);
  });

  it('have nearly no safe one blocked', () => {
    const blocked = labelled('safe').filter(({ verdict }) => verdict === 'unsafe');
    expect(blocked.length / labelled('safe').length).toBeLessThan(SAFE_BLOCKED_SHARE_MAX);
  });

  it('are held for being unparsed in few cases, none of them proved unsafe', () => {
    const unparsed = statements.filter(({ codes }) => codes.includes('CLY_SQL_UNPARSED'));
    // Where the parsers read a statement, what is unsafe is proved and what is safe is let through.
    const read = statements.filter(
      (statement) => !unparsed.includes(statement) && !statement.codes.includes('CLY_SQL_OPAQUE'),
    );
    expect(read.filter(({ label, verdict }) => label !== verdict)).toEqual([]);
    expect(unparsed.length / statements.length).toBeLessThan(0.05);
  });

  it('are read into trees that name nothing but places of the text a span', () => {
    // The walk through a tree counts what stands there without looking at it (libs/core/src/sql/tree.ts).
    const spans = new Set(statements.flatMap(({ sql }) => spansIn(parsers.rs(sql, dialect))).map(shapeOf));
    expect([...spans]).toEqual(['{"start":{"line":0,"column":0},"end":{"line":0,"column":0}}']);
  });

  it('stay unsafe or held when the condition is made true for every row', () => {
    const writes = labelled('safe').filter(({ sql }) =>
      /^(?:UPDATE|DELETE)\b[^()]*\bWHERE\b(?!.*\b(?:RETURNING|LIMIT|CURRENT)\b)/is.test(sql),
    );
    expect(writes.length).toBeGreaterThan(20);
    for (const { sql } of writes) {
      const body = sql.replace(/;\s*$/, '').replace(/ -- done$/, '');
      for (const addition of [' OR 1 = 1', " OR 'x' = 'x'", ' OR 2 > 1 AND 3 = 3', ' OR NOT (1 = 2)']) {
        const { verdict } = analyseSql(body + addition, dialect, parsers);
        expect({ sql: body + addition, verdict }).not.toMatchObject({ verdict: 'safe' });
      }
    }
  });
});
