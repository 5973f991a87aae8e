// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorCode } from '@clyra/core/kernel/error';

/** `refuse`: the recorder does not start. `warn`: it starts, and its coverage says so. */
export type ProblemSeverity = 'refuse' | 'warn';

export type SourceProblem = {
  readonly code: ErrorCode;
  readonly severity: ProblemSeverity;
  /** What to do next. */
  readonly message: string;
  /** A statement that repairs it, ready to run after reading; null where none exists. */
  readonly repairSql: string | null;
};

/** Throws the first refusal as a ClyraError (retry: never) of its own code; `refusalCount` tells of the others. */
export function requireNoRefusal(problems: readonly SourceProblem[]): void {
  const refusals = problems.filter((problem) => problem.severity === 'refuse');
  const first = refusals[0];
  if (first !== undefined) {
    throw new ClyraError(first.code, first.message, {
      retry: 'never',
      context: { repairSql: first.repairSql, refusalCount: refusals.length },
    });
  }
}
