// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import { projectsMissingFromGraph } from './project-graph.ts';
import { failedStep, type Step, type StepResult } from './step.ts';

const CHECK_DEADLINE_MS = 10 * 60_000;

/** The folders that hold TypeScript of ours. */
const SOURCE_FOLDERS = ['libs', 'services', 'cli', 'compose', 'packs', 'sdk', 'verifiers', 'test', 'tools'];

type Check = {
  readonly name: string;
  readonly group: string;
  readonly argv: [string, ...string[]];
  readonly hint: string;
};

/** Checks of the text, in the order in which they run: cheap ones first, so that a slip is told within a second. */
export function checks(config: GateConfig): readonly Step[] {
  const graphFile = join(config.resultsFolder, 'graph.json');
  const list: readonly Check[] = [
    {
      name: 'biome',
      group: 'lint',
      argv: ['biome', 'check', '--error-on-warnings', '--diagnostic-level=warn', '.'],
      hint: 'make format writes most of it',
    },
    {
      name: 'lock',
      group: 'lint',
      argv: ['node', 'tools/complete-lock.mjs', '--check'],
      hint: 'node tools/complete-lock.mjs',
    },
    {
      name: 'boundaries',
      group: 'lint',
      argv: ['depcruise', '--config', '.dependency-cruiser.cjs', '--output-type', 'err-long', ...SOURCE_FOLDERS],
      hint: 'an import goes against the direction in ARCHITECTURE.md; each rule above says where the code belongs',
    },
    { name: 'knip', group: 'lint', argv: ['knip', '--no-config-hints'], hint: 'delete what nothing uses, or use it' },
    {
      name: 'graph',
      group: 'lint',
      argv: ['nx', 'graph', `--file=${graphFile}`],
      hint: 'eslint cannot judge boundaries without the project graph: see what nx says above',
    },
    {
      name: 'eslint',
      group: 'lint',
      argv: ['eslint', '--max-warnings=0', '.'],
      hint: 'see the rule named above',
    },
    { name: 'types', group: 'types', argv: ['tsc', '-b'], hint: 'the compiler says where' },
  ];
  return list.map((check) => ({
    name: check.name,
    group: check.group,
    run: async () => {
      const result = await runCheck(config, check);
      return check.name === 'graph' && result.ok ? checkGraph(config.root, graphFile, result) : result;
    },
  }));
}

async function runCheck(config: GateConfig, { name, argv, hint }: Check): Promise<StepResult> {
  const end = await runCommand({
    argv,
    cwd: config.root,
    env: config.env,
    deadlineMs: CHECK_DEADLINE_MS,
    output: name === 'graph' ? 'capture' : 'show',
  });
  if (end.why === 'not-started') return failedStep(name, end.durationMs, `${argv[0]} is not installed: make setup`);
  if (end.why === 'deadline') return failedStep(name, end.durationMs, `stopped after ${CHECK_DEADLINE_MS} ms`);
  if (end.exitCode !== 0) return failedStep(name, end.durationMs, hint);
  return { name, ok: true, passed: 0, failed: 0, skipped: 0, durationMs: end.durationMs };
}

function checkGraph(root: string, graphFile: string, result: StepResult): StepResult {
  const missing = projectsMissingFromGraph(root, graphFile);
  if (missing.length === 0) return result;
  return failedStep(result.name, result.durationMs, `the project graph lacks ${missing.join(', ')}: run npx nx reset`);
}
