// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../canonical/digest.ts';
import { encodeRecord } from '../../canonical/record.ts';

/**
 * What a person is asked to approve (docs/spec/records.md §4.3). Its digest is the nonce of their sign-in, so the
 * provider's own signed token says that this person agreed to exactly this, and to nothing else.
 */
export type ApprovalRequest = {
  readonly tenant: string;
  readonly approval_id: string;
  readonly of: string;
  readonly route: string;
  readonly method: string;
  readonly target_digest: Digest;
  readonly payload_hash: Digest;
  readonly requester: string;
  readonly idp_domain: string;
  /** Of the part of the page that showed the change. */
  readonly display_digest: Digest;
  readonly issued_at: number;
  /** 32 hex digits, random: nobody can guess the nonce from what is in the log. */
  readonly salt: string;
};

export function approvalRequestBytes(request: ApprovalRequest): Uint8Array {
  return encodeRecord({ v: 0, kind: 'approval.request', ...request });
}

/** The nonce of the sign-in, and `challenge_nonce` of the certificate. */
export function challengeOf(requestBytes: Uint8Array): Digest {
  return digestOf(requestBytes);
}
