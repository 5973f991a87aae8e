// SPDX-License-Identifier: Apache-2.0
import type { RetryFact } from '@clyra/core/kernel/error';

/**
 * The broker checks these before it appends, so they prove that nothing was stored. NOT_LEADER_OR_FOLLOWER and
 * UNKNOWN_TOPIC_OR_PARTITION are missing on purpose: a broker also answers them for a record it has appended
 * when it loses the partition while it waits for replicas. So is NOT_ENOUGH_REPLICAS_AFTER_APPEND, by its name.
 */
const REFUSALS: ReadonlyMap<string, RetryFact> = new Map([
  ['MESSAGE_TOO_LARGE', 'never'],
  ['RECORD_LIST_TOO_LARGE', 'never'],
  ['INVALID_TOPIC_EXCEPTION', 'never'],
  ['TOPIC_AUTHORIZATION_FAILED', 'never'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'never'],
  ['INVALID_RECORD', 'never'],
  ['INVALID_TIMESTAMP', 'never'],
  ['POLICY_VIOLATION', 'never'],
  ['CORRUPT_MESSAGE', 'backoff'],
  ['NOT_ENOUGH_REPLICAS', 'backoff'],
]);

/** Kafka's name of the error, dug out of the wrappers the client puts around it; undefined for a network error. */
export function protocolErrorName(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth += 1) {
    const name: unknown = Reflect.get(current, 'type');
    if (typeof name === 'string') return name;
    const parts: unknown = Reflect.get(current, 'errors');
    if (Array.isArray(parts)) return protocolErrorName(parts[0]);
  }
  return undefined;
}

/** How a send may be repeated if the broker certainly stored nothing of it, else undefined. */
export function refusalRetry(error: unknown): RetryFact | undefined {
  const name = protocolErrorName(error);
  return name === undefined ? undefined : REFUSALS.get(name);
}

/** What a broker, or the client for it, says where who dials is not let in, or does not trust who answers. */
const ACCESS =
  /^(?:KafkaJSSASLAuthenticationError|SASL_AUTHENTICATION_FAILED|UNSUPPORTED_SASL_MECHANISM|ERR_TLS_CERT_ALTNAME_INVALID|.*_CERT(?:_.*)?|UNABLE_TO_.*|CERT_.*)$/;

/** Whether the connection failed over certificates or a password: trying again does not help, settings do. */
export function isAccessRefused(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth += 1) {
    const names: readonly unknown[] = [current.name, Reflect.get(current, 'type'), Reflect.get(current, 'code')];
    if (names.some((name) => typeof name === 'string' && ACCESS.test(name))) return true;
    if (/certificate|SASL \S+ authentication failed/i.test(current.message)) return true;
  }
  return false;
}

export function describeError(error: unknown): string {
  const name = protocolErrorName(error);
  const text = error instanceof Error ? error.message : String(error);
  return name === undefined ? text : `${name}: ${text}`;
}
