// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';

/** A change to be requested: the value of the record, and what its headers say. */
export type IntentToSign = {
  readonly keyId: string;
  readonly secret: Uint8Array;
  readonly tenant: string;
  readonly actor: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: Uint8Array;
  readonly correlationId: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** 16 to 64 letters, digits, `_` or `-`, never used before. */
  readonly nonce: string;
  readonly key?: string;
  readonly expiresAtMs?: number;
  readonly idempotencyKey?: string;
  readonly runId?: string;
};

export type SignedIntent = {
  readonly headers: Readonly<Record<string, string>>;
  /** Known before anybody answers, being derived from the signature; the second is that of an inspection under a new policy. */
  readonly eventIds: readonly [string, string];
};

/** The headers of the record (docs/guides/kafka-door.md); the caller adds `content-type`. */
export function signIntent(intent: IntentToSign): SignedIntent {
  const { body, nowMs, key, expiresAtMs, idempotencyKey, runId } = intent;
  const contentDigest = body.length === 0 ? '' : `sha-256=:${sha256(body).toString('base64')}:`;
  const expiresAt = expiresAtMs === undefined ? '' : String(expiresAtMs);
  const text = [
    'clyra-intent-hmac-v0',
    ...[intent.method, intent.target, intent.tenant, intent.actor, String(nowMs), intent.nonce],
    ...[idempotencyKey ?? '', runId ?? '', contentDigest, intent.correlationId, expiresAt],
    key === undefined ? '' : sha256(Buffer.from(key, 'utf8')).toString('hex'),
  ].join('\n');
  const signature = createHmac('sha256', intent.secret).update(text, 'utf8').digest('hex');
  const headers = {
    'clyra-method': intent.method,
    'clyra-target': intent.target,
    'clyra-correlation-id': intent.correlationId,
    'clyra-expires-at': expiresAt,
    'x-tenant-id': intent.tenant,
    'x-actor-id': intent.actor,
    'x-clyra-key-id': intent.keyId,
    'x-clyra-timestamp': String(nowMs),
    'x-clyra-nonce': intent.nonce,
    'x-clyra-run-id': runId ?? '',
    'idempotency-key': idempotencyKey ?? '',
    'content-digest': contentDigest,
    'x-clyra-signature': signature,
  };
  const proof = { keyId: intent.keyId, signature, nowMs };
  const present = Object.entries(headers).filter(([, value]) => value !== '');
  return { headers: Object.fromEntries(present), eventIds: [eventIdOf(proof, 0), eventIdOf(proof, 1)] };
}

type Proof = { readonly keyId: string; readonly signature: string; readonly nowMs: number };

/** UUIDv7: the time that was signed, and the hash of key id and signature. */
function eventIdOf({ keyId, signature, nowMs }: Proof, attempt: 0 | 1): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(nowMs, 0, 6);
  sha256(Buffer.from(`clyra/intent/v0\n${keyId}\n${signature}\n${attempt}`, 'utf8')).copy(bytes, 6, 0, 10);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
