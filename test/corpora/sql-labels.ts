// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SqlDialect, SqlVerdict } from '@clyra/core/change/sql-fact';

/** A statement of our own with what is to be said about it; `held` means that nobody could prove either. */
export type LabelledSql = { readonly label: SqlVerdict; readonly shape: string; readonly sql: string };

/** Databricks runs Spark's SQL, so both read the same file. */
export function labelledSql(dialect: SqlDialect): readonly LabelledSql[] {
  const name = dialect === 'databricks' ? 'spark' : dialect;
  const text = readFileSync(join(import.meta.dirname, 'sql', `${name}.jsonl`), 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LabelledSql);
}
