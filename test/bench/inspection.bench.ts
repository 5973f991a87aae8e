// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { SQL_DIALECTS } from '@clyra/core/change/sql-fact';
import { PackShelf } from '@clyra/core/detectors/pack-shelf';
import { scanValue } from '@clyra/core/detectors/scan-value';
import { analyseSql } from '@clyra/core/sql/analyse-sql';
import { webhooks } from '../corpora/detectors/committed-texts.ts';
import { labelledSql } from '../corpora/sql-labels.ts';
import { quantile } from './src/statistics.ts';

const ROUNDS = 30;
const WARM_UP_ROUNDS = 5;
const PACKS = join(import.meta.dirname, '../../packs/detectors');

/** Milliseconds of each run after the warm-up, sorted. */
function timesOf(runs: readonly (() => unknown)[]): number[] {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const run of runs) {
      const startedMs = performance.now();
      run();
      if (round >= WARM_UP_ROUNDS) times.push(performance.now() - startedMs);
    }
  }
  return times.sort((a, b) => a - b);
}

function print(name: string, times: readonly number[]): void {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(times, share).toFixed(3));
  process.stdout.write(`${name.padEnd(44)} p50 ${p50}  p95 ${p95}  p99 ${p99} ms\n`);
}

const parsers = await loadSqlParsers();
for (const dialect of SQL_DIALECTS) {
  const statements = labelledSql(dialect);
  print(
    `SQL, ${dialect}, ${statements.length} statements`,
    timesOf(
      statements.map(
        ({ sql }) =>
          () =>
            analyseSql(sql, dialect, parsers),
      ),
    ),
  );
}

const documents = readdirSync(PACKS)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(PACKS, name), 'utf8')) as JsonValue);
const engine = new PackShelf(documents).engine(
  documents.map((document) => (document as { readonly name: string }).name),
);
if (engine === undefined) throw new Error('a pack is missing');
const scopes = [{ id: 'all', engine, paths: [] }];
for (const [name, low, high] of [
  ['detectors, payloads up to 5 KB', 0, 5_000],
  ['detectors, payloads of 5 to 15 KB', 5_000, 15_000],
  ['detectors, larger payloads', 15_000, 10_000_000],
] as const) {
  const chosen = webhooks().filter(({ value }) => {
    const size = JSON.stringify(value).length;
    return size >= low && size < high;
  });
  print(
    `${name} (${chosen.length})`,
    timesOf(
      chosen.map(
        ({ value }) =>
          () =>
            scanValue(value, scopes),
      ),
    ),
  );
}
