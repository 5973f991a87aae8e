// SPDX-License-Identifier: Apache-2.0
import type { Kafka } from 'kafkajs';
import { IntentError } from './intent-error.ts';
import { trustedKeys } from './verify-receipt.ts';

export type ProducerOptions = {
  /** The caller's own client: brokers, TLS and user are its. */
  readonly kafka: Kafka;
  readonly tenant: string;
  readonly actor: string;
  readonly keyId: string;
  readonly secret: Uint8Array;
  /** trust-root.json as text: receipts that it does not cover are refused. Without it none is checked. */
  readonly trustRoot?: string;
  readonly topicPrefix?: string;
  readonly connectDeadlineMs?: number;
};

export type Proposal = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Uint8Array | string;
  readonly contentType?: string;
  /** Proposals of one key are carried out one after the other. */
  readonly key?: string;
  readonly idempotencyKey?: string;
  readonly runId?: string;
};

/** Intents are kept a day; a timer of more than 24 days would end at once. */
const DEADLINE_MAX_MS = 86_400_000;

/** Throws CLY_PRODUCER_OPTION: said now, and not as a deadline that passes again and again. */
export function checkOptions(options: ProducerOptions): void {
  const { kafka, tenant, actor, keyId, secret, trustRoot, connectDeadlineMs } = options;
  if (typeof kafka?.admin !== 'function') throw wrong('kafka is no client of kafkajs: pass new Kafka({ brokers })');
  for (const [name, text] of Object.entries({ tenant, actor, keyId })) {
    if (typeof text !== 'string' || text === '') throw wrong(`${name} is no text: pass what the key was made for`);
  }
  if (!(secret instanceof Uint8Array) || secret.length === 0) {
    throw wrong("secret is not the key's bytes: pass Buffer.from(text, 'base64')");
  }
  if (trustRoot !== undefined && (typeof trustRoot !== 'string' || trustedKeys(trustRoot) === undefined)) {
    throw wrong('trustRoot is not the content of trust-root.json: read the file, and pass its text');
  }
  if (connectDeadlineMs !== undefined) checkDeadline('connectDeadlineMs', connectDeadlineMs);
}

/** Throws CLY_PRODUCER_OPTION. */
export function checkProposal({ method, target, body }: Proposal, deadlineMs: number): void {
  checkDeadline('deadlineMs', deadlineMs);
  if (typeof method !== 'string' || !/^[A-Z]+$/.test(method)) throw wrong('method is none: POST, for example');
  if (typeof target !== 'string' || !/^\/[^\s]*$/.test(target)) {
    throw wrong('target is no path: begin it with /, and percent-encode what is not allowed in a URL');
  }
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) {
    throw wrong('body is neither text nor bytes: use JSON.stringify');
  }
}

function checkDeadline(name: string, deadlineMs: number): void {
  if (Number.isInteger(deadlineMs) && deadlineMs >= 1 && deadlineMs <= DEADLINE_MAX_MS) return;
  throw wrong(`${name} is ${deadlineMs}: give milliseconds, from 1 to ${DEADLINE_MAX_MS}`);
}

function wrong(what: string): IntentError {
  return new IntentError('CLY_PRODUCER_OPTION', what);
}
