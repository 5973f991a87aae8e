// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { sha256Hex } from '../hash/sha256.ts';
import { parseJson } from '../json/parse.ts';
import { closed, flag, id, integer, list, oneOf, optional, ShapeError, text } from '../json/shape.ts';
import { decodeBase64 } from '../signature/base64.ts';
import { importEd25519 } from '../signature/ed25519.ts';

const ROLES = [
  'root',
  'log',
  'bundler',
  'attestor',
  'enforcer',
  'intake',
  'recorder',
  'operator',
  'policy_author',
  'policy_approver',
  'approver',
  'witness',
  'tsa',
] as const;
export type Role = (typeof ROLES)[number];

export const TRUST_ROOT_BYTES_MAX = 1_048_576;
const KEYS_MAX = 1_024;

export interface TrustedKey {
  readonly keyId: string;
  readonly alg: string;
  /** Null for an algorithm that this version does not know: such a key is listed, and signs nothing. */
  readonly ed25519: { readonly publicKey: Buffer; readonly key: KeyObject } | null;
  readonly roles: ReadonlySet<Role>;
  readonly subject: string;
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | null;
}

export interface TrustRoot {
  /** Of the file: auditors compare it with the one they were given at onboarding. */
  readonly digest: string;
  readonly version: number;
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  readonly singleOperator: boolean;
  readonly keys: ReadonlyMap<string, TrustedKey>;
}

const readKey = closed({
  key_id: id,
  alg: text,
  public_key: text,
  roles: list(oneOf(...ROLES), ROLES.length),
  subject: text,
  operator: text,
  valid_from: integer(0),
  valid_to: integer(0),
  revoked_at: optional(integer(0)),
  reason: optional(text),
});

const readRoot = closed({
  format: oneOf('clyra/trust-root/v0'),
  version: integer(0),
  expires_at: integer(0),
  log_origin: text,
  single_operator: flag,
  keys: list(readKey, KEYS_MAX),
});

/** Parses trust-root.json. Throws JsonError or ShapeError. */
export function parseTrustRoot(bytes: Uint8Array): TrustRoot {
  const { value } = parseJson(bytes, { grammar: 'record', canonical: false, bytesMax: TRUST_ROOT_BYTES_MAX });
  const root = readRoot(value, '');
  const keys = new Map<string, TrustedKey>();
  for (const [index, key] of root.keys.entries()) {
    const trusted = importKey(key, `keys[${index}]`);
    if (keys.has(trusted.keyId)) {
      throw new ShapeError(`keys[${index}].key_id`, 'names a key a second time');
    }
    keys.set(trusted.keyId, trusted);
  }
  return {
    digest: sha256Hex(bytes),
    version: root.version,
    expiresAtMs: root.expires_at,
    logOrigin: root.log_origin,
    singleOperator: root.single_operator,
    keys,
  };
}

function importKey(key: ReturnType<typeof readKey>, member: string): TrustedKey {
  return {
    keyId: key.key_id,
    alg: key.alg,
    ed25519: key.alg === 'ed25519' ? importPublicKey(key, member) : null,
    roles: new Set(key.roles),
    subject: key.subject,
    operator: key.operator,
    validFromMs: key.valid_from,
    validToMs: key.valid_to,
    revokedAtMs: key.revoked_at ?? null,
  };
}

function importPublicKey(key: { public_key: string; key_id: string }, member: string): TrustedKey['ed25519'] {
  const publicKey = decodeBase64(key.public_key);
  if (publicKey === null || publicKey.length !== 32) {
    throw new ShapeError(`${member}.public_key`, 'must be 32 bytes of base64');
  }
  if (sha256Hex(publicKey).slice(0, 32) !== key.key_id) {
    throw new ShapeError(`${member}.key_id`, 'is not the digest of the public key');
  }
  return { publicKey, key: importEd25519(publicKey) };
}
