// SPDX-License-Identifier: Apache-2.0
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { chromiumProblem } from './chromium.ts';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import { runTier } from './jest-tier.ts';
import { postgresVersionSteps } from './postgres-versions.ts';
import { failedStep, type Step, type StepResult } from './step.ts';
import { TIERS, type Tier } from './tiers.ts';

const LONG_DEADLINE_MS = 60 * 60_000;

type LongTier = {
  readonly name: string;
  readonly tier: string;
  readonly env: Readonly<Record<string, string>>;
  readonly only?: string;
};

/** What is too slow for the gate: a tier again, with more of what its environment variable counts. */
const LONG_TIERS: readonly LongTier[] = [
  { name: 'sim-long', tier: 'sim', env: { CLYRA_SIM_SEEDS: '5000' }, only: 'test/sim/spine' },
  // Four properties, each with as many sequences of some thirty records: a million decisions.
  { name: 'firewall-long', tier: 'prop', env: { CLYRA_FIREWALL_RUNS: '8000' } },
  { name: 'state-long', tier: 'sim', env: { CLYRA_STATE_CHANGES: '10000000' }, only: 'test/sim/state-bound' },
  // Builds cosign and Tessera's fsck, which takes minutes.
  { name: 'recipes-long', tier: 'vector', env: { CLYRA_RECIPES_LONG: '1' }, only: 'test/recipes' },
  // A million mutations judged by both verifiers, five thousand of them by the third, and every bit of bundles of some 40 KB.
  // The TypeScript verifier takes two thirds of the time and runs twice.
  {
    name: 'verifiers-long',
    tier: 'prop',
    env: {
      CLYRA_MUTATIONS: '1000000',
      CLYRA_FLIP_TICKS: '30',
      CLYRA_FLIP_UNITS: '5',
      CLYRA_DIFFERENTIAL_PROCESSES: '2',
    },
    only: 'test/differential',
  },
  // Installs dbt (150 MB) once, and runs it four times.
  { name: 'dbt-long', tier: 'int', env: { CLYRA_DBT: '1' }, only: 'test/dbt' },
  // Fetches Spark and Delta (460 MB) once; its JVM takes 1 GB.
  { name: 'spark-long', tier: 'int', env: { CLYRA_SPARK: '1' }, only: 'test/standins/spark' },
  { name: 'int-long', tier: 'int', env: { CLYRA_INT_TRANSACTION_ROWS: '1000000', CLYRA_INT_HISTORIES: '10' } },
  {
    name: 'faults-long',
    tier: 'faults',
    env: {
      CLYRA_FAULTS_SIZE: '10000',
      CLYRA_FAULTS_REQUESTS: '1000',
      CLYRA_FAULTS_SECONDS: '60',
      CLYRA_FAULTS_RECORDER_KILLS: '20',
      CLYRA_FAULTS_RECORDER_CHANGES: '100000',
      CLYRA_FAULTS_RECORDER_RATE: '600',
      CLYRA_FAULTS_POSTGRES_KILLS: '5',
      CLYRA_FAULTS_BODY_MB: '100',
      CLYRA_FAULTS_BUNDLER_KILLS: '20',
      CLYRA_FAULTS_BUNDLER_LINES: '10000',
    },
  },
];

const longLimits = { budgetMs: LONG_DEADLINE_MS, deadlineMs: LONG_DEADLINE_MS, testTimeoutMs: LONG_DEADLINE_MS };

/** Pages in Chromium, by keyboard and through axe: it needs a browser, which no package of ours brings. */
const BROWSER: Tier = { name: 'browser', ...longLimits, serial: true };

export function longSteps(config: GateConfig): readonly Step[] {
  const browser: Step = {
    name: BROWSER.name,
    group: BROWSER.name,
    run: async () => (await chromiumProblem(config)) ?? runTier(config, BROWSER, {}),
  };
  const tiers = LONG_TIERS.flatMap(({ name, tier, env, only }) =>
    TIERS.filter((candidate) => candidate.name === tier).map((base) => ({
      name,
      group: name,
      run: async () => ({
        ...(await runTier(config, { ...base, ...longLimits, only }, env)),
        name,
      }),
    })),
  );
  const versions = TIERS.filter(({ name }) => name === 'int').flatMap((int) =>
    postgresVersionSteps(config, { ...int, ...longLimits }),
  );
  return [...tiers, ...versions, corporaStep(config), browser];
}

/** Detectors on every corpus: some come from the Python registry, so that the gate has no need of it. */
function corporaStep(config: GateConfig): Step {
  const name = 'corpora-long';
  return { name, group: name, run: () => runCorpora(config, name) };
}

async function runCorpora(config: GateConfig, name: string): Promise<StepResult> {
  const result = join(config.resultsFolder, `${name}.json`);
  const end = await runCommand({
    argv: ['node', '--conditions=@clyra/source', 'test/corpora/detectors/measure.ts', '--result', result],
    cwd: config.root,
    env: config.env,
    deadlineMs: LONG_DEADLINE_MS,
    output: 'show',
  });
  if (!existsSync(result)) return failedStep(name, end.durationMs, 'nothing was measured: run `make corpora`');
  const counts = JSON.parse(readFileSync(result, 'utf8')) as { readonly passed: number; readonly failed: number };
  const ok = end.exitCode === 0 && counts.failed === 0 && counts.passed > 0;
  return { name, ok, ...counts, skipped: 0, durationMs: end.durationMs };
}

/** Benchmarks print tables and judge nothing; each is a script `test/bench/<name>.bench.ts`. */
export function benchSteps(config: GateConfig): readonly Step[] {
  return globSync('test/bench/**/*.bench.ts', { cwd: config.root })
    .sort()
    .map((script) => ({ name: basename(script, '.bench.ts'), group: 'bench', run: () => runBench(config, script) }));
}

async function runBench(config: GateConfig, script: string): Promise<StepResult> {
  const end = await runCommand({
    argv: ['node', '--conditions=@clyra/source', script],
    cwd: config.root,
    env: config.env,
    deadlineMs: LONG_DEADLINE_MS,
    output: 'show',
  });
  const name = basename(script, '.bench.ts');
  if (end.exitCode !== 0)
    return failedStep(name, end.durationMs, `run it with node --conditions=@clyra/source ${script}`);
  return { name, ok: true, passed: 0, failed: 0, skipped: 0, durationMs: end.durationMs };
}
