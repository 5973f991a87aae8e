// SPDX-License-Identifier: Apache-2.0

export type TimeCode =
  | 'CLY_TIME_TOKEN'
  | 'CLY_TIME_ALGORITHM'
  | 'CLY_TIME_IMPRINT'
  | 'CLY_TIME_SIGNATURE'
  | 'CLY_TSA_UNTRUSTED'
  | 'CLY_TSA_PURPOSE'
  | 'CLY_TSA_WINDOW'
  | 'CLY_TIME_BEFORE_CUT';

/** Why a token does not count (trust.md §6). */
export class TokenError extends Error {
  readonly code: TimeCode;

  constructor(code: TimeCode, message: string) {
    super(message);
    this.name = 'TokenError';
    this.code = code;
  }
}
