// SPDX-License-Identifier: Apache-2.0

/**
 * What kept a proposal from its reply. Where `eventId` is there the intent may have been carried out: ask
 * GET /v1/changes/<eventId>, or call `again`, which sends the very same record and so has no second effect.
 */
export class IntentError<Answer = unknown> extends Error {
  readonly code: string;
  readonly eventId: string | undefined;
  readonly again: ((options: { readonly deadlineMs: number }) => Promise<Answer>) | undefined;

  constructor(
    code: string,
    message: string,
    more: {
      readonly eventId?: string;
      readonly again?: (options: { readonly deadlineMs: number }) => Promise<Answer>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(`${code}: ${message}`, { cause: more.cause });
    this.name = 'IntentError';
    this.code = code;
    this.eventId = more.eventId;
    this.again = more.again;
  }
}
