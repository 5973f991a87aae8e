// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../canonical/digest.ts';
import type { JsonObject } from '../../canonical/json-value.ts';
import { encodeRecord } from '../../canonical/record.ts';
import type { Facts } from '../../change/change-body.ts';

/** How sure it is who approved: 0 nobody vouches, 1 signed in, 2 with a second factor, 3 with one that cannot be phished. */
export type Grade = 0 | 1 | 2 | 3;

/** An approval that was given and not used yet. */
export type Grant = {
  readonly id: string;
  /** Stable subject: what quorum and segregation of duties compare. */
  readonly person: string;
  readonly grade: Grade;
  readonly mfa: boolean;
  readonly idp_domain: string;
  readonly login_at: number;
  readonly granted_at: number;
  readonly expires_at: number;
  readonly emergency: boolean;
  readonly ticket: string;
};

/** What is held: everything that an approval is bound to, and the approvals so far. */
export type PendingApproval = {
  /** The first change that was held so. */
  readonly of: string;
  readonly route: string;
  readonly method: string;
  readonly target_digest: Digest;
  readonly payload_hash: Digest;
  readonly actor: string;
  readonly principal: string;
  /** Who must not approve: stable subjects of requester, executor and, for a deployment, its author. */
  readonly parties: readonly string[];
  readonly grants: readonly Grant[];
  readonly expires_at: number;
};

type Bound = Pick<PendingApproval, 'route' | 'method' | 'target_digest' | 'payload_hash' | 'actor' | 'principal'>;

/** The digest of the body’s RFC 8785 form, or of its bytes where it is no JSON. */
export function payloadHash(facts: Facts): Digest {
  return facts.canonical_digest ?? facts.payload_digest;
}

/** One request, exactly: another byte of the payload, another target or caller is another binding. */
export function bindingOf(bound: Bound): Digest {
  const { route, method, target_digest, payload_hash, actor, principal } = bound;
  const record: JsonObject = { route, method, target_digest, payload_hash, actor, principal };
  return digestOf(encodeRecord(record));
}

export function pendingKey(binding: Digest): string {
  return `pending/${binding}`;
}

export function heldKey(eventId: string): string {
  return `held/${eventId}`;
}
