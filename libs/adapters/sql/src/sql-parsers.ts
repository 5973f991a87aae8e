// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '@clyra/core/canonical/json-value';
import type { SqlDialect } from '@clyra/core/change/sql-fact';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SqlParsers } from '@clyra/core/sql/analyse-sql';
import { init, parse } from '@guanmingchiu/sqlparser-ts';
import { loadModule, parseSync } from 'libpg-query';

const RS_DIALECTS: Readonly<Record<SqlDialect, Parameters<typeof parse>[1]>> = {
  postgres: 'postgresql',
  snowflake: 'snowflake',
  databricks: 'databricks',
  spark: 'spark',
  bigquery: 'bigquery',
  mysql: 'mysql',
  tsql: 'mssql',
};

/** A module compiles what a text first needs while its caller is held: a quarter of a second on a busy machine. */
const WARM_UP = [
  "insert into a (b, c) values (1, 'x')",
  "update a set b = b + 1 where c = 'x'",
  'delete from a where b = 1',
  'merge into a using d on a.b = d.b when matched then update set c = d.c',
];

/**
 * Loads both parsers. They are WebAssembly modules that run in this thread, and a parse cannot be interrupted: the limits
 * of `scanText` bound it, so hand in only text that passed them. Throws CLY_SQL_PARSERS if a module does not start.
 */
export async function loadSqlParsers(): Promise<SqlParsers> {
  try {
    await Promise.all([loadModule(), init()]);
  } catch (cause) {
    throw new ClyraError('CLY_SQL_PARSERS', 'the SQL parsers do not start: reinstall the packages', {
      retry: 'never',
      cause,
    });
  }
  const parsers: SqlParsers = {
    pg: (text) => parsed(() => parseSync(text)),
    rs: (text, dialect) => parsed(() => parse(text, RS_DIALECTS[dialect])),
  };
  for (const text of WARM_UP) {
    parsers.pg(text);
    parsers.rs(text, 'postgres');
  }
  return parsers;
}

/**
 * Whatever a parser throws means that it does not understand the text: the caller holds it then. A trap inside the module
 * (`WebAssembly.RuntimeError`) may leave it broken, which shows in the same way, in every later text.
 */
function parsed(parser: () => unknown): JsonValue | undefined {
  try {
    return parser() as JsonValue;
  } catch {
    return undefined;
  }
}
