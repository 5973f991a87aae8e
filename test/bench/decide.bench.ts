// SPDX-License-Identifier: Apache-2.0
// What one decision costs, without log, network and disk: PartitionFold.fold over requests that are all allowed, and their outcomes.
// Options: --quick, --rounds N, --json FILE.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { DECIDE_SHAPES, DecideRun, type DecideShape, type DecideTimes } from './src/measure/decide-run.ts';
import { benchOptions } from './src/options.ts';
import { figure, spreadFigure } from './src/report/figures.ts';
import { limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { textTable } from './src/report/text-table.ts';
import { type Quantiles, spreadOf } from './src/statistics.ts';

const DECISIONS = { full: 10_000, quick: 2_000 };
const HEAD = ['one decision, ms', 'p50', 'p95', 'p99', 'CPU µs, request and outcome'];

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function rows({ sendSize, actorCount }: DecideShape, rounds: readonly DecideTimes[]): string[][] {
  const shape = `${sendSize === 1 ? 'a signature each' : `a signature for ${sendSize}`}, ${actorCount} actors`;
  const row = (name: string, times: readonly Quantiles[]): string[] => [
    `${name}, ${shape}`,
    ...(['p50', 'p95', 'p99'] as const).map((quantile) => millis(times.map((time) => time[quantile]))),
  ];
  const reads = rounds.map(({ read }) => read);
  const folds = rounds.map(({ fold }) => fold);
  const outcomes = rounds.map(({ outcome }) => outcome);
  const cpu = spreadFigure(spreadOf(rounds.map(({ cpuUs }) => cpuUs)));
  return [row('read', reads), [...row('fold', folds), cpu], row('outcome', outcomes)];
}

function millis(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  return `${median.toFixed(3)} (${min.toFixed(3)}–${max.toFixed(3)})`;
}

const options = benchOptions(process.argv.slice(2));
const decisionCount = options.quick ? DECISIONS.quick : DECISIONS.full;
const machine = thisMachine();
print(`${machineLine(machine)}\n${options.rounds} rounds of ${figure(decisionCount)} decisions, state growing\n`);
const results: { shape: DecideShape; times: DecideTimes[] }[] = [];
for (const shape of DECIDE_SHAPES) {
  const run = await DecideRun.open(shape);
  await run.times(decisionCount);
  const times: DecideTimes[] = [];
  for (let round = 0; round < options.rounds; round += 1) times.push(await run.times(decisionCount));
  results.push({ shape, times });
}
const [shared] = results;
const p95 = spreadOf(shared?.times.map(({ fold }) => fold.p95) ?? []).median;
const name = `fold p95, where ${shared?.shape.sendSize} changes share a signature`;
const table = results.flatMap(({ shape, times }) => rows(shape, times));
print(textTable(HEAD, table));
print(`\n${limitsTable([{ name, measured: p95, limit: 0.1, aim: 0.1, better: 'lower', unit: 'ms' }])}`);
if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, JSON.stringify({ machine, options, results }));
