// SPDX-License-Identifier: Apache-2.0
import { statusOfCode } from '../http-status.ts';

/** What a person at the door can make of a code, where its title alone would leave them guessing. */
const WORDS: Readonly<Record<string, string>> = {
  CLY_APPROVAL_REQUIRED: 'The policy wants people to approve this.',
  CLY_APPROVAL_UNKNOWN: 'It does not wait any more: it was approved and sent, or its time ran out.',
  CLY_APPROVAL_SELF:
    'You asked for this change or carry it out yourself, perhaps under another name. Somebody else must approve it.',
  CLY_APPROVAL_REPEATED: 'You have approved it already. It takes another person.',
  CLY_APPROVAL_MFA:
    'You signed in without a second factor, and this change needs one. Sign in with it and approve again.',
  CLY_APPROVAL_GRADE: 'Your sign-in is not strong enough for this change. Use a security key or passkey.',
  CLY_APPROVAL_IDP: 'The policy does not accept approvals from this identity provider.',
  CLY_APPROVAL_LOGIN: 'Your sign-in is too old. Approve again and sign in when you are asked.',
  CLY_APPROVAL_NONCE: 'This sign-in was used for an approval before. Approve again.',
  CLY_APPROVAL_PAYLOAD: 'The payload is not the one that is held.',
  CLY_APPROVAL_ROUTE: 'Route, method or target is not the one that is held.',
  CLY_APPROVAL_REQUESTER: 'It was asked for by somebody else.',
  CLY_APPROVAL_TTL: 'The approval would be valid for too long.',
  CLY_COMMAND_EXPIRED: 'It took too long until the log had it. Approve again.',
  CLY_COMMAND_ROLE: 'The key of this door may not sign approvals for this tenant: tell an operator.',
  CLY_COMMAND_SIGNATURE: 'The key of this door is not in the trust root of this tenant: tell an operator.',
  CLY_COMMAND_REPEATED: 'This very approval was given before.',
};

export function wordsFor(code: string): string {
  return WORDS[code] ?? statusOfCode(code).title;
}
