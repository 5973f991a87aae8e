// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import type { Step, StepResult } from './step.ts';
import { type JestFigures, tallyTier } from './tally.ts';
import type { Tier } from './tiers.ts';

/** After its result is written a tier has this long to close its sockets and exit. */
const LINGER_MS_MAX = 30_000;

export function jestStep(config: GateConfig, tier: Tier): Step {
  return { name: tier.name, group: tier.name, run: () => runTier(config, tier, {}) };
}

/** `extraEnv` turns a tier into its long form: more seeds, more runs. */
export async function runTier(
  config: GateConfig,
  tier: Tier,
  extraEnv: Readonly<Record<string, string>>,
): Promise<StepResult> {
  const resultFile = join(config.resultsFolder, `${tier.name}.json`);
  const end = await runCommand({
    argv: [
      'jest',
      '--ci',
      ...['--selectProjects', tier.name],
      ...['--json', '--outputFile', resultFile],
      `--testTimeout=${tier.testTimeoutMs}`,
      tier.serial ? '--runInBand' : '--maxWorkers=2',
      ...(tier.only === undefined ? [] : ['--', tier.only]),
    ],
    cwd: config.root,
    env: {
      ...config.env,
      ...extraEnv,
      NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
    },
    deadlineMs: tier.deadlineMs,
    doneFile: resultFile,
    lingerMsMax: LINGER_MS_MAX,
    // Jest reports to standard error; standard output is the JSON again.
    output: 'capture',
  });
  const figures = existsSync(resultFile) ? (JSON.parse(readFileSync(resultFile, 'utf8')) as JestFigures) : undefined;
  return tallyTier({ name: tier.name, budgetMs: tier.budgetMs, end, figures });
}
