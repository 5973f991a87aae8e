// SPDX-License-Identifier: Apache-2.0
/** What a caller may do after an error: give up, try the same again later, or rebuild its session first. */
export type RetryFact = 'never' | 'backoff' | 'rejoin';

/** A stable error code, `CLY_<AREA>_<WHAT>`; the catalogue page is generated from the codes in use. */
export type ErrorCode = `CLY_${string}`;

export type ErrorContext = Readonly<Record<string, string | number | boolean | null>>;

export type ErrorFacts = {
  readonly retry: RetryFact;
  readonly context?: ErrorContext;
  readonly cause?: unknown;
};

/**
 * A failure with a name. A refusal is a domain answer and never an error; anything that is neither a
 * refusal nor a ClyraError is a bug and crashes the process.
 */
export class ClyraError extends Error {
  readonly code: ErrorCode;
  readonly retry: RetryFact;
  readonly context: ErrorContext;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'ClyraError';
    this.code = code;
    this.retry = facts.retry;
    this.context = facts.context ?? {};
  }
}
