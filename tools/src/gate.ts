// SPDX-License-Identifier: Apache-2.0
// The gate: what must hold before a change goes in, the same here and in CI. Every step runs even if one before it
// failed, so that one run tells everything. Run by the Makefile, with Node 24 and --conditions=@clyra/source.

import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checks } from './gate/checks.ts';
import { type GateConfig, loadGateConfig } from './gate/config.ts';
import { foreignSteps } from './gate/foreign-tiers.ts';
import { jestStep } from './gate/jest-tier.ts';
import { benchSteps, longSteps } from './gate/long-steps.ts';
import type { Step, StepResult } from './gate/step.ts';
import { heading, summary } from './gate/summary.ts';
import { TIERS } from './gate/tiers.ts';

type Choice = { readonly only?: string; readonly long?: boolean; readonly bench?: boolean };

function chooseSteps(config: GateConfig, choice: Choice): readonly Step[] {
  if (choice.bench === true) return benchSteps(config);
  const inProcess = TIERS.filter((tier) => !tier.serial).map((tier) => jestStep(config, tier));
  const withStack = TIERS.filter((tier) => tier.serial).map((tier) => jestStep(config, tier));
  const gate = [...checks(config), ...inProcess, ...foreignSteps(config), ...withStack];
  const all = choice.long === true ? [...gate, ...longSteps(config)] : gate;
  if (choice.only === undefined) return all;
  const wanted = choice.only.split(',');
  return all.filter((step) => wanted.includes(step.name) || wanted.includes(step.group));
}

async function runGate(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, long: { type: 'boolean' }, bench: { type: 'boolean' } },
  });
  const config = loadGateConfig();
  process.once('exit', () => rmSync(config.resultsFolder, { recursive: true, force: true }));
  const results: StepResult[] = [];
  for (const step of chooseSteps(config, values)) {
    process.stdout.write(heading(step.name));
    results.push(await step.run());
  }
  process.stdout.write(summary(results));
  // Nothing chosen is nothing proven.
  return results.length > 0 && results.every((result) => result.ok) ? 0 : 1;
}

process.exitCode = await runGate();
