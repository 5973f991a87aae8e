// SPDX-License-Identifier: Apache-2.0
// What detectors and primitives add to a request of 10 KB, and OPA's engine with the same rules in Rego beside them.
// Options: --quick, --rounds N, --json FILE.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { SQL_DIALECTS } from '@clyra/core/change/sql-fact';
import { PackShelf } from '@clyra/core/detectors/pack-shelf';
import { analyseSql, type SqlParsers } from '@clyra/core/sql/analyse-sql';
import { labelledSql } from '../corpora/sql-labels.ts';
import { FirewallRun } from './src/measure/firewall-run.ts';
import { benchOptions } from './src/options.ts';
import { timeOpa } from './src/peers/opa.ts';
import { limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { type Quantiles, quantilesOf } from './src/statistics.ts';
import {
  ACTOR,
  type BenchRequest,
  benchRequests,
  firewallPolicy,
  REGO_DATA,
  TENANT,
} from './src/world/firewall-rules.ts';

const PACKS_FOLDER = join(import.meta.dirname, '../../packs/detectors');
const BODY_BYTES = 10_000;
const REQUESTS = 300;
const ROUNDS = { full: 20, quick: 4 };
const WARM_UP_SHARE = 0.2;
const WARM_UP_ROUNDS_OF_SQL = 5;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, { p50, p95, p99 }: Quantiles): string[] => [
  name,
  ...[p50, p95, p99].map((one) => one.toFixed(3)),
];

function loadPacks(): PackShelf {
  const names = readdirSync(PACKS_FOLDER).filter((name) => name.endsWith('.json'));
  return new PackShelf(names.map((name) => JSON.parse(readFileSync(join(PACKS_FOLDER, name), 'utf8')) as JsonValue));
}

type Measured = {
  readonly plain: number[];
  readonly looking: number[];
  readonly primitives: number[];
  /** What detectors and primitives add to the same request, one after the other in one round. */
  readonly added: number[];
  readonly decisions: Record<string, number>;
};

function measure(plain: FirewallRun, looking: FirewallRun, rounds: number): Measured {
  const warmUp = Math.ceil(rounds * WARM_UP_SHARE);
  const measured: Measured = { plain: [], looking: [], primitives: [], added: [], decisions: {} };
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (let index = 0; index < plain.length; index += 1) {
      const without = plain.time(index);
      const { inspectionMs, primitivesMs, decision } = looking.time(index);
      if (round < warmUp) continue;
      measured.plain.push(without.inspectionMs);
      measured.looking.push(inspectionMs);
      measured.primitives.push(primitivesMs);
      measured.added.push(inspectionMs - without.inspectionMs + primitivesMs);
      measured.decisions[decision] = (measured.decisions[decision] ?? 0) + 1;
    }
  }
  return measured;
}

/** The dialect with the highest p95 over our labelled statements. */
function slowestSql(parsers: SqlParsers, rounds: number): { readonly dialect: string; readonly times: Quantiles } {
  const all = SQL_DIALECTS.map((dialect) => {
    const times: number[] = [];
    for (let round = 0; round < rounds + WARM_UP_ROUNDS_OF_SQL; round += 1) {
      for (const { sql } of labelledSql(dialect)) {
        const startMs = performance.now();
        analyseSql(sql, dialect, parsers);
        if (round >= WARM_UP_ROUNDS_OF_SQL) times.push(performance.now() - startMs);
      }
    }
    return { dialect, times: quantilesOf(times) };
  });
  return all.reduce((worst, one) => (one.times.p95 > worst.times.p95 ? one : worst));
}

function regoInput({ target, headerTenant, body }: BenchRequest, index: number): JsonObject {
  return {
    method: 'POST',
    segments: target.split('/'),
    header: { tenant: headerTenant, actor: ACTOR, idempotency_key: `key-${index}` },
    credential: { tenant: TENANT, actors: [ACTOR] },
    actions: 0,
    body,
  };
}

const options = benchOptions(process.argv.slice(2));
const rounds = options.quick ? ROUNDS.quick : ROUNDS.full;
const machine = thisMachine();
const requests = benchRequests(REQUESTS, BODY_BYTES);
const plain = new FirewallRun(firewallPolicy({ detectors: false }), requests);
const parsers = await loadSqlParsers();
const looking = new FirewallRun(firewallPolicy({ detectors: true }), requests, { sql: parsers, packs: loadPacks() });
print(`${machineLine(machine)}\n${rounds} rounds of ${REQUESTS} requests of ${plain.bodyBytes} bytes, 20 routes\n`);

const measured = measure(plain, looking, rounds);
const sql = slowestSql(parsers, rounds);
const opa = timeOpa(REGO_DATA, requests.map(regoInput), rounds);
const [inspection, primitives] = [quantilesOf(measured.plain), quantilesOf(measured.primitives)];
const [added, opaTimes] = [quantilesOf(measured.added), quantilesOf(opa.milliseconds)];

print(
  textTable(
    ['one request, ms', 'p50', 'p95', 'p99'],
    [
      row('Clyra: inspection of the bytes (JSON, schema, digests)', inspection),
      row('Clyra: the same with four detector packs', quantilesOf(measured.looking)),
      row('Clyra: all primitives over the facts', primitives),
      row('Clyra: what detectors and primitives add', added),
      row(`Clyra: SQL analysis, slowest dialect (${sql.dialect})`, sql.times),
      row('OPA: the same rules in Rego over the parsed request', opaTimes),
    ],
  ),
);
const words = (counts: Readonly<Record<string, number>>): string =>
  Object.keys(counts)
    .sort()
    .map((decision) => `${decision} ${(counts[decision] ?? 0) / rounds}`)
    .join(', ');
const [ours, theirs] = [words(measured.decisions), words(opa.decisions)];
print(`\nDecisions a round: Clyra ${ours}; OPA ${theirs}`);
if (ours !== theirs) throw new Error('both were given the same rules and decide otherwise: the times say nothing');
print(`OPA's p95 is ${(opaTimes.p95 / primitives.p95).toFixed(1)} times that of the primitives,`);
print(
  `and ${(opaTimes.p95 / (inspection.p95 + primitives.p95)).toFixed(1)} times that of inspection and primitives together, which read the bytes as well.`,
);
const limits = [
  { name: 'detectors and primitives at 10 KB, p95', measured: added.p95, limit: 1, aim: 1 },
  { name: 'primitives alone, p95', measured: primitives.p95, limit: 0.1, aim: 0.1 },
  { name: 'SQL, p95 of the slowest dialect', measured: sql.times.p95, limit: 0.5, aim: 0.5 },
];
print(`\n${limitsTable(limits.map((limit) => ({ ...limit, better: 'lower', unit: 'ms' })))}`);
if (options.jsonFile !== undefined) {
  const figures = { inspection, primitives, added, sql, opa: opaTimes };
  writeFileSync(options.jsonFile, JSON.stringify({ machine, options, figures }));
}
