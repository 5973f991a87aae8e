// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { uuidV7 } from '../kernel/uuid-v7.ts';

/** Headers of a Kafka record that say of which request its value is the body (docs/guides/kafka-door.md). */
export const INTENT_HEADERS = {
  method: 'clyra-method',
  target: 'clyra-target',
  correlationId: 'clyra-correlation-id',
  expiresAt: 'clyra-expires-at',
} as const;

export type IntentProof = {
  readonly keyId: string;
  /** The HMAC as sent: it covers all that the intent says, its nonce too. */
  readonly signature: string;
  readonly timestampMs: number;
};

/**
 * The event id of an intent is in the intent itself, not in its place: a record that comes again, or a copy that a
 * producer's retry left in the topic, is the same change. `attempt` is 1 for the second inspection under a new policy.
 */
export function intentEventId({ keyId, signature, timestampMs }: IntentProof, attempt: 0 | 1): string {
  const text = `clyra/intent/v0\n${keyId}\n${signature}\n${attempt}`;
  return uuidV7(timestampMs, createHash('sha256').update(text, 'utf8').digest());
}
