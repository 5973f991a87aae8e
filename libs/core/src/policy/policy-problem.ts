// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** Where in the source text, both counted from 1. */
export type SourcePlace = { readonly line: number; readonly column: number };

export type PolicyProblem = {
  /** JSON pointer into the policy document. */
  readonly pointer: string;
  readonly message: string;
  /** null for a compiled policy, which has no lines. */
  readonly place: SourcePlace | null;
  /** The overlay it stands in; the policy itself has no name here. */
  readonly file?: string;
};

/** CLY_POLICY_INVALID: every problem of one policy at once, so that an author fixes them in one go. */
export class PolicyError extends ClyraError {
  readonly problems: readonly PolicyProblem[];

  constructor(problems: readonly PolicyProblem[]) {
    const lines = problems.map(problemLine);
    super('CLY_POLICY_INVALID', `correct these places in the policy:\n${lines.join('\n')}`, {
      retry: 'never',
      context: { problems: problems.length },
    });
    this.name = 'PolicyError';
    this.problems = problems;
  }
}

export function problemLine(problem: PolicyProblem): string {
  const place = problem.place === null ? '' : `${problem.place.line}:${problem.place.column} `;
  const file = problem.file === undefined ? '' : `${problem.file}:`;
  return `${file}${place}${problem.pointer === '' ? '/' : problem.pointer}: ${problem.message}`;
}

/** By their places, those without one first. */
export function inOrder(problems: readonly PolicyProblem[]): PolicyProblem[] {
  const rank = ({ place }: PolicyProblem): number => (place === null ? 0 : place.line * 1_000_000 + place.column);
  return [...problems].sort((a, b) => rank(a) - rank(b));
}
