// SPDX-License-Identifier: Apache-2.0
import type { Grade } from './pending-approval.ts';

/** RFC 8176 names of methods: a second factor, and those that a look-alike site cannot pass on. */
const SECOND_FACTORS = new Set([
  'mfa',
  'otp',
  'hwk',
  'swk',
  'phr',
  'phrh',
  'fpt',
  'face',
  'iris',
  'retina',
  'sc',
  'pop',
]);
const PHISHING_RESISTANT = new Set(['hwk', 'phr', 'phrh', 'sc', 'pop']);

export type SignIn = { readonly mfa: boolean; readonly amr: readonly string[] };

/** Both must say so: the claim and the methods. A password and a text message are no second factor here. */
export function hasSecondFactor({ mfa, amr }: SignIn): boolean {
  return mfa && amr.some((method) => SECOND_FACTORS.has(method));
}

export function gradeOf(signIn: SignIn): Grade {
  if (!hasSecondFactor(signIn)) return 1;
  return signIn.amr.some((method) => PHISHING_RESISTANT.has(method)) ? 3 : 2;
}
