// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorCode } from '@clyra/core/kernel/error';

/** What a script may rely on. `verify` has its own list, which agrees with this one (docs/spec/verification.md §2). */
export const EXIT = {
  done: 0,
  /** The request was understood and the answer is no: blocked, held, or a check failed. */
  refused: 1,
  /** The arguments, a file or a setting are wrong; repeating it changes nothing. */
  wrongInput: 2,
  /** What could be compared holds, but not everything could be (`replay`); `verify`: its policy is not met. */
  partial: 4,
  /** Something that is needed does not answer: start it, or try again. */
  unavailable: 5,
  bug: 70,
} as const;

export const EXIT_HELP = `
Exit codes: 0 done · 1 refused: blocked, held or a check failed · 2 wrong arguments, file or setting
            4 only a part could be compared · 5 something needed does not answer (try again, or see \`clyra status\`) · 70 a bug in Clyra
`;

const REFUSALS: ReadonlySet<ErrorCode> = new Set(['CLY_CLI_REFUSED']);

export function exitCodeOf(failure: unknown): number {
  if (!(failure instanceof ClyraError)) return EXIT.bug;
  if (REFUSALS.has(failure.code)) return EXIT.refused;
  return failure.retry === 'never' ? EXIT.wrongInput : EXIT.unavailable;
}
