// SPDX-License-Identifier: Apache-2.0
// What the gateway adds to a request, against a bare proxy and against the floor that its two hops through the log set,
// bare and with the signatures that no decision goes without;
// how much it takes at most, and where the time goes. Everything runs on this machine, each part in its own process.
// Options: --quick (under a minute, figures say little), --limits (only what limits are given for), --rounds N, --json FILE,
// --profiles FOLDER.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { DecisionLoad, type DecisionRate } from './src/measure/decisions-per-second.ts';
import { hasLimit, levels, RATE_LEVEL, SATURATION_LEVEL } from './src/measure/levels.ts';
import { type LevelResult, type RoundsPlan, runRounds, warmUp } from './src/measure/run-rounds.ts';
import { measureTimeUse, profileServices } from './src/measure/where-time-goes.ts';
import { type BenchOptions, benchOptions } from './src/options.ts';
import { cpuTable } from './src/report/cpu-table.ts';
import { figure, spreadFigure } from './src/report/figures.ts';
import { addedBy, levelTable, ratioToFloor } from './src/report/level-table.ts';
import { type Compared, limitsTable } from './src/report/limits.ts';
import { machineLine, thisMachine } from './src/report/machine.ts';
import { profileTables, stageTable } from './src/report/time-table.ts';
import { spreadOf } from './src/statistics.ts';
import { startFloor } from './src/world/start-floor.ts';
import { startWorld, type World } from './src/world/world.ts';

const IN_FLIGHT = [256, 4_096];
const PROFILED = { kind: 'clients', clients: 64 } as const;
const FOLLOWED = { kind: 'rate', perSecond: 500 } as const;

const say = (line: string): void => void process.stderr.write(`  ${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function measureLevels(world: World, options: BenchOptions): Promise<LevelResult[]> {
  const urls = {
    'bare proxy': await world.startPeer('bare-proxy', 'bare-proxy-main.ts', world.upstreamUrl).ready(),
    floor: await startFloor(world, 'floor'),
    'signed floor': await startFloor(world, 'signed floor'),
    gateway: world.settings.gateway_url,
  };
  await warm(urls, world, options);
  const results: LevelResult[] = [];
  const wanted = levels(options.quick).filter((level) => !options.limitsOnly || hasLimit(level));
  for (const level of wanted) {
    const result = await runRounds(level, {
      ...options,
      urls,
      callers: world.callers,
      processes: () => [...world.pids(), { name: 'load generator', pid: process.pid }],
      onBlock: ({ name, bodyBytes }, round) =>
        say(`${name}, ${bodyBytes / 1_024} KB: round ${round} of ${options.rounds}`),
    });
    print(levelTable(result));
    print(cpuTable(result));
    results.push(result);
  }
  return results;
}

async function warm(urls: RoundsPlan['urls'], world: World, options: BenchOptions): Promise<void> {
  const [level] = levels(options.quick).filter(({ name }) => name === RATE_LEVEL);
  if (level === undefined) return;
  say(`warm-up: ${options.firstWarmupMs / 1_000} s of ${RATE_LEVEL} for each variant`);
  await warmUp({ urls, callers: world.callers }, level, options.firstWarmupMs);
}

function failed(error: Error): undefined {
  print(`NOT MEASURED: ${error.message}`);
  process.exitCode = 1;
  return undefined;
}

/** What was measured before a failure is still shown; the failure makes the bench fail. */
async function measureDecisions(world: World, options: BenchOptions): Promise<DecisionRate[]> {
  const load = await DecisionLoad.open(world);
  const rates: DecisionRate[] = [];
  for (const inFlightMax of IN_FLIGHT) {
    say(`decisions with ${inFlightMax} in flight`);
    const plan = { inFlightMax, rounds: options.rounds, durationMs: options.blockMs / 2 };
    const rate = await load.measure(plan).catch((error: Error) => failed(error));
    if (rate === undefined) break;
    const refused = rate.refusedCount === 0 ? '' : `, ${rate.refusedCount} NOT ALLOWED: the figure is void`;
    print(`decisions/s with ${inFlightMax} in flight: ${spreadFigure(spreadOf(rate.perSecond))}${refused}`);
    rates.push(rate);
  }
  await load.close();
  return rates;
}

function compared(results: readonly LevelResult[], decisions: readonly DecisionRate[]): Compared[] {
  const level = (name: string): LevelResult | undefined =>
    results.find((result) => result.level.name === name && result.level.bodyBytes === 1_024);
  const atRate = level(RATE_LEVEL);
  const full = level(SATURATION_LEVEL);
  const perSecond =
    full === undefined ? Number.NaN : spreadOf(full.rounds.map((round) => round.gateway.perSecond)).median;
  const medians = decisions.map((rate) => spreadOf(rate.perSecond).median);
  const best = medians.length === 0 ? Number.NaN : Math.max(...medians);
  const p95 = atRate === undefined ? Number.NaN : addedBy(atRate, 'gateway', 'p95').median;
  const ratio = atRate === undefined ? Number.NaN : ratioToFloor(atRate, 'gateway', 'p95').median;
  return [
    { name: `added p95 at ${RATE_LEVEL}, 1 KB`, measured: p95, limit: 15, aim: 8, better: 'lower', unit: 'ms' },
    { name: 'the same ÷ what the floor adds', measured: ratio, limit: 1.5, aim: 1.3, better: 'lower', unit: '' },
    { name: 'requests/s at saturation', measured: perSecond, limit: 1_000, aim: 2_500, better: 'higher', unit: '' },
    { name: 'decisions/s', measured: best, limit: 2_500, aim: 10_000, better: 'higher', unit: '' },
  ];
}

async function measure(world: World, options: BenchOptions): Promise<Readonly<Record<string, unknown>>> {
  const results = await measureLevels(world, options);
  const use = options.limitsOnly ? {} : await whereTimeGoes(world, options);
  await world.intake.stop();
  const decisions = await measureDecisions(world, options);
  const limits = compared(results, decisions);
  print(`\n${limitsTable(limits)}`);
  return { results, ...use, decisions, limits };
}

async function whereTimeGoes(world: World, options: BenchOptions): Promise<Readonly<Record<string, unknown>>> {
  say('where the time goes');
  const timeUse = [];
  for (const load of [FOLLOWED, PROFILED]) {
    const use = await measureTimeUse(world, load, options.blockMs);
    print(stageTable(use));
    timeUse.push({ load: use.load, perSecond: use.perSecond, cpuMs: use.cpuMs });
  }
  const folder = options.profileDir ?? join(world.dataDir, 'profiles');
  mkdirSync(folder, { recursive: true });
  const profiles = await profileServices(world, { load: PROFILED, durationMs: options.blockMs, folder });
  print(profileTables(profiles));
  return { timeUse, profiles };
}

const options = benchOptions(process.argv.slice(2));
const machine = thisMachine();
print(
  `${machineLine(machine)}\nmedian over ${options.rounds} rounds (lowest–highest); ${figure(options.blockMs)} ms a block, after ${options.firstWarmupMs / 1_000} s of ${RATE_LEVEL} for each variant\n`,
);
const world = await startWorld(say);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void world.stop().finally(() => process.exit(130)));
}
try {
  const figures = await measure(world, options);
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, JSON.stringify({ machine, options, ...figures }));
} finally {
  await world.stop();
}
