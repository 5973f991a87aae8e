// SPDX-License-Identifier: Apache-2.0
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { digestOf } from '../canonical/digest.ts';
import { formatContentDigest } from './content-digest.ts';

/** A KeyObject is prepared once; raw bytes are prepared at each use, which costs more than the HMAC itself. */
export type HmacKey = Uint8Array | KeyObject;

export const SIGNATURE_HEADERS = {
  tenant: 'x-tenant-id',
  actor: 'x-actor-id',
  keyId: 'x-clyra-key-id',
  timestamp: 'x-clyra-timestamp',
  nonce: 'x-clyra-nonce',
  signature: 'x-clyra-signature',
  runId: 'x-clyra-run-id',
  idempotencyKey: 'idempotency-key',
  contentDigest: 'content-digest',
} as const;

/** How far a request's own timestamp may be off in either direction, in milliseconds; nonces are remembered longer than twice that. */
export const TIMESTAMP_TOLERANCE_MS = 300_000;

export const NONCE = /^[A-Za-z0-9_-]{16,64}$/;

/** What an intent on Kafka says beyond a request; the same secret signs another first line, so neither passes for the other. */
export type IntentSeal = {
  readonly correlationId: string;
  /** Milliseconds since the epoch as sent, or empty. */
  readonly expiresAt: string;
  /** SHA-256 of the record's key in hex, or empty where it has none. */
  readonly keyDigest: string;
};

/** What the HMAC covers; absent headers are empty. `timestamp` and `idempotencyKey` stand as sent. */
export type SignedRequest = {
  readonly method: string;
  readonly target: string;
  readonly tenant: string;
  readonly actor: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly idempotencyKey: string;
  readonly runId: string;
  readonly contentDigest: string;
  /** Only of an intent. */
  readonly intent?: IntentSeal;
};

function signedText(request: SignedRequest): string {
  const { intent } = request;
  return [
    intent === undefined ? 'clyra-hmac-v0' : 'clyra-intent-hmac-v0',
    request.method,
    request.target,
    request.tenant,
    request.actor,
    request.timestamp,
    request.nonce,
    request.idempotencyKey,
    request.runId,
    request.contentDigest,
    ...(intent === undefined ? [] : [intent.correlationId, intent.expiresAt, intent.keyDigest]),
  ].join('\n');
}

/** 64 lower-case hex digits. No member may hold a line feed; header values cannot. */
export function requestMac(secret: HmacKey, request: SignedRequest): string {
  return createHmac('sha256', secret).update(signedText(request), 'utf8').digest('hex');
}

/** In constant time for a signature of the right form. */
export function verifyRequestMac(secret: HmacKey, request: SignedRequest, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  return timingSafeEqual(Buffer.from(requestMac(secret, request), 'hex'), Buffer.from(signature, 'hex'));
}

export type RequestToSign = {
  readonly keyId: string;
  readonly secret: HmacKey;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly tenant: string;
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** 16 to 64 letters, digits, `_` or `-`, never used before. */
  readonly nonce: string;
  readonly idempotencyKey?: string;
  readonly runId?: string;
  readonly body?: Uint8Array | string;
  readonly intent?: IntentSeal;
};

/** The headers that make a request acceptable to intake (client side). The caller adds `content-type`. */
export function signRequest(request: RequestToSign): Record<string, string> {
  const hasBody = request.body !== undefined && request.body.length > 0;
  const contentDigest = hasBody ? formatContentDigest(digestOf(request.body as Uint8Array | string)) : '';
  const signed: SignedRequest = {
    method: request.method,
    target: request.target,
    tenant: request.tenant,
    actor: request.actor,
    timestamp: String(request.nowMs),
    nonce: request.nonce,
    idempotencyKey: request.idempotencyKey ?? '',
    runId: request.runId ?? '',
    contentDigest,
    ...(request.intent === undefined ? {} : { intent: request.intent }),
  };
  return {
    [SIGNATURE_HEADERS.tenant]: request.tenant,
    [SIGNATURE_HEADERS.actor]: request.actor,
    [SIGNATURE_HEADERS.keyId]: request.keyId,
    [SIGNATURE_HEADERS.timestamp]: signed.timestamp,
    [SIGNATURE_HEADERS.nonce]: request.nonce,
    [SIGNATURE_HEADERS.signature]: requestMac(request.secret, signed),
    ...(request.runId === undefined ? {} : { [SIGNATURE_HEADERS.runId]: request.runId }),
    ...(request.idempotencyKey === undefined ? {} : { [SIGNATURE_HEADERS.idempotencyKey]: request.idempotencyKey }),
    ...(hasBody ? { [SIGNATURE_HEADERS.contentDigest]: contentDigest } : {}),
  };
}
