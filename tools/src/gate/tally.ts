// SPDX-License-Identifier: Apache-2.0
import type { CommandEnd } from './command.ts';
import { failedStep, type StepResult } from './step.ts';

/** The figures we take from the file that Jest writes with `--json --outputFile`. */
export type JestFigures = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that could not be loaded: none of their tests is counted anywhere else. */
  readonly numRuntimeErrorTestSuites: number;
};

export type TierRun = {
  readonly name: string;
  readonly budgetMs: number;
  readonly end: CommandEnd;
  /** undefined when Jest wrote no result: it found no test, or it did not get that far. */
  readonly figures: JestFigures | undefined;
};

/** A tier holds if Jest says so *and* a test ran: an empty tier proves nothing, and fails. */
export function tallyTier({ name, budgetMs, end, figures }: TierRun): StepResult {
  const { durationMs } = end;
  if (figures === undefined) {
    const stopped = end.why === 'deadline';
    return failedStep(name, durationMs, stopped ? 'stopped at its deadline, before a result' : 'no test ran');
  }
  const broken = figures.numFailedTests + figures.numRuntimeErrorTestSuites;
  const counts = {
    name,
    passed: figures.numPassedTests,
    skipped: figures.numPendingTests + figures.numTodoTests,
    durationMs,
  };
  const refuse = (failed: number, note: string): StepResult => ({ ...counts, ok: false, failed, note });
  if (broken > 0) return refuse(broken, 'see the failures above');
  if (figures.numPassedTests === 0) return refuse(1, 'no test ran');
  if (end.why === 'lingered') return refuse(1, 'passed but did not exit: close what the tests opened');
  if (end.why === 'deadline') return refuse(1, 'stopped at its deadline');
  if (end.exitCode !== 0) return refuse(1, `Jest exited with ${String(end.exitCode)}`);
  const over = durationMs > budgetMs ? { note: `over its budget of ${budgetMs / 1_000} s` } : {};
  return { ...counts, ok: true, failed: 0, ...over };
}
