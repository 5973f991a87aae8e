// SPDX-License-Identifier: Apache-2.0
// What detectors and primitives add to a request of 10 KB, and OPA's engine with the same rules in Rego beside them.
// Options: --quick, --rounds N, --json FILE.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { PackShelf } from '@clyra/core/detectors/pack-shelf';
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
  readonly inspection: Quantiles;
  readonly primitives: Quantiles;
  readonly decisions: ReadonlyMap<string, number>;
};

function measure(run: FirewallRun, rounds: number): Measured {
  const warmUp = Math.ceil(rounds * WARM_UP_SHARE);
  for (let round = 0; round < warmUp; round += 1) run.round([], [], new Map());
  const [inspections, primitives, decisions] = [[] as number[], [] as number[], new Map<string, number>()];
  for (let round = 0; round < rounds; round += 1) run.round(inspections, primitives, decisions);
  return { inspection: quantilesOf(inspections), primitives: quantilesOf(primitives), decisions };
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
const analysers = { sql: await loadSqlParsers(), packs: loadPacks() };
const looking = new FirewallRun(firewallPolicy({ detectors: true }), requests, analysers);
print(`${machineLine(machine)}\n${rounds} rounds of ${REQUESTS} requests of ${plain.bodyBytes} bytes, 20 routes\n`);

const without = measure(plain, rounds);
const withDetectors = measure(looking, rounds);
const opa = timeOpa(REGO_DATA, requests.map(regoInput), rounds);
const opaTimes = quantilesOf(opa.milliseconds);
const detectors = withDetectors.inspection.p95 - without.inspection.p95;

print(
  textTable(
    ['one request, ms', 'p50', 'p95', 'p99'],
    [
      row('Clyra: inspection of the bytes (JSON, schema, digests)', without.inspection),
      row('Clyra: the same with four detector packs', withDetectors.inspection),
      row('Clyra: all primitives over the facts', withDetectors.primitives),
      row('OPA: the same rules in Rego over the parsed request', opaTimes),
    ],
  ),
);
const words = (counts: Iterable<readonly [string, number]>): string =>
  [...counts]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([decision, count]) => `${decision} ${count / rounds}`)
    .join(', ');
print(`\nDecisions a round: Clyra ${words(without.decisions)}; OPA ${words(Object.entries(opa.decisions))}`);
const whole = without.inspection.p95 + without.primitives.p95;
print(`OPA's p95 is ${(opaTimes.p95 / withDetectors.primitives.p95).toFixed(1)} times that of the primitives,`);
print(
  `and ${(opaTimes.p95 / whole).toFixed(1)} times that of inspection and primitives together, which read the bytes as well.`,
);
const added = detectors + withDetectors.primitives.p95;
const limits = [
  { name: 'detectors and primitives at 10 KB, p95', measured: added, limit: 5, aim: 1 },
  { name: 'primitives alone, p95', measured: withDetectors.primitives.p95, limit: 0.1, aim: 0.1 },
];
print(`\n${limitsTable(limits.map((limit) => ({ ...limit, better: 'lower', unit: 'ms' })))}`);
if (options.jsonFile !== undefined) {
  writeFileSync(options.jsonFile, JSON.stringify({ machine, options, without, withDetectors, opa: opaTimes }));
}
