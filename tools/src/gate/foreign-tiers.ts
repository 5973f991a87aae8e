// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { GateConfig } from './config.ts';
import { failedStep, type Step, type StepResult } from './step.ts';

const DEADLINE_MS = 5 * 60_000;

export type TestCounts = { readonly passed: number; readonly failed: number; readonly skipped: number };

type ForeignTier = {
  readonly name: string;
  readonly folder: string;
  /** The tier exists once this file does. */
  readonly manifest: string;
  readonly argv: readonly [string, ...string[]];
  readonly count: (output: string) => TestCounts;
};

const FOREIGN_TIERS: readonly ForeignTier[] = [
  {
    name: 'go',
    folder: 'verifiers/go',
    manifest: 'go.mod',
    argv: ['bash', '-c', 'go vet ./... && go test -json ./...'],
    count: countGoTests,
  },
  {
    name: 'python',
    folder: 'sdk/python',
    manifest: 'pyproject.toml',
    argv: ['bash', '-c', 'python3 -m unittest discover -v -s tests -t . 2>&1'],
    count: countPythonTests,
  },
  {
    // The third verifier: the conformance suite in batch mode, external suites, hostile sizes.
    name: 'python-verifier',
    folder: 'verifiers/python',
    manifest: 'pyproject.toml',
    argv: ['sh', 'run-tests.sh'],
    count: countPythonTests,
  },
  {
    // Labelled SQL against an independent judge, which needs a package and so an environment of its own.
    name: 'sql-oracle',
    folder: 'test/corpora/sql-oracle',
    manifest: 'requirements.txt',
    argv: ['bash', 'run.sh'],
    count: countPythonTests,
  },
];

/** The tests of what is written in other languages, run by their own runners. */
export function foreignSteps(config: GateConfig): readonly Step[] {
  return FOREIGN_TIERS.filter((tier) => existsSync(join(config.root, tier.folder, tier.manifest))).map((tier) => ({
    name: tier.name,
    group: tier.name,
    run: () => runForeignTier(config, tier),
  }));
}

async function runForeignTier(config: GateConfig, tier: ForeignTier): Promise<StepResult> {
  const end = await runCommand({
    argv: tier.argv,
    cwd: join(config.root, tier.folder),
    env: config.env,
    deadlineMs: DEADLINE_MS,
    output: 'capture',
  });
  const counts = tier.count(end.stdout);
  const ok = end.why === 'exited' && end.exitCode === 0 && counts.failed === 0;
  if (ok && counts.passed === 0) return failedStep(tier.name, end.durationMs, 'no test ran');
  if (ok) return { name: tier.name, ok, ...counts, durationMs: end.durationMs };
  process.stdout.write(end.stdout);
  const failed = Math.max(1, counts.failed);
  return { name: tier.name, ok, ...counts, failed, durationMs: end.durationMs, note: `run it in ${tier.folder}` };
}

/** Counts tests and subtests in the events of `go test -json`. */
export function countGoTests(output: string): TestCounts {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const line of output.split('\n')) {
    if (!line.startsWith('{')) continue;
    const event = JSON.parse(line) as { readonly Action?: string; readonly Test?: string };
    if (event.Test === undefined) continue;
    if (event.Action === 'pass') counts.passed += 1;
    if (event.Action === 'fail') counts.failed += 1;
    if (event.Action === 'skip') counts.skipped += 1;
  }
  return counts;
}

/** Reads the verbose lines of unittest: `name (case) ... ok`. */
export function countPythonTests(output: string): TestCounts {
  const ending = (pattern: RegExp): number => output.split('\n').filter((line) => pattern.test(line)).length;
  return {
    passed: ending(/ \.\.\. ok$/),
    failed: ending(/ \.\.\. (FAIL|ERROR)$/),
    skipped: ending(/ \.\.\. skipped /),
  };
}
