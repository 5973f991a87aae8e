// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError } from '../kernel/error.ts';
import { importPublicKey, keyIdOf } from './ed25519.ts';

export const ROLES = [
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

export type TrustedKey = {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly keyObject: KeyObject;
  readonly roles: ReadonlySet<Role>;
  /** The person or machine behind the key: two-person rules compare subjects, never keys. */
  readonly subject: string;
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | undefined;
};

export type TrustRoot = {
  readonly digest: Digest;
  readonly version: number;
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  readonly singleOperator: boolean;
  readonly keys: ReadonlyMap<string, TrustedKey>;
};

const LIMITS = { bytesMax: 1_048_576, depthMax: 8, valuesMax: 20_000 };

/** Reads trust-root.json (docs/spec/bundle.md §2). Throws CLY_TRUST_ROOT_INVALID that names the member at fault. */
export function parseTrustRoot(bytes: Uint8Array): TrustRoot {
  const document = parseJson(bytes, LIMITS);
  if (!isJsonObject(document)) throw invalid('the document is not an object');
  if (document['format'] !== 'clyra/trust-root/v0') throw invalid('format is not clyra/trust-root/v0');
  const keys = new Map<string, TrustedKey>();
  const list = document['keys'];
  if (!Array.isArray(list)) throw invalid('keys is not a list');
  for (const entry of list) {
    const key = parseKey(entry as JsonValue);
    if (keys.has(key.keyId)) throw invalid(`key ${key.keyId} stands twice`);
    keys.set(key.keyId, key);
  }
  return {
    digest: digestOf(bytes),
    version: integer(document, 'version'),
    expiresAtMs: integer(document, 'expires_at'),
    logOrigin: text(document, 'log_origin'),
    singleOperator: document['single_operator'] === true,
    keys,
  };
}

function parseKey(entry: JsonValue): TrustedKey {
  if (!isJsonObject(entry)) throw invalid('a key is not an object');
  if (entry['alg'] !== 'ed25519') throw invalid('a key has an algorithm other than ed25519');
  const publicKey = Buffer.from(text(entry, 'public_key'), 'base64');
  const keyId = text(entry, 'key_id');
  if (publicKey.length !== 32 || keyId !== keyIdOf(publicKey)) throw invalid(`key ${keyId} is not the hash of its key`);
  const roles = entry['roles'];
  if (!Array.isArray(roles) || !roles.every((role) => ROLES.includes(role as Role))) {
    throw invalid(`key ${keyId} has an unknown role`);
  }
  return {
    keyId,
    publicKey,
    keyObject: importPublicKey(publicKey),
    roles: new Set(roles as Role[]),
    subject: text(entry, 'subject'),
    operator: text(entry, 'operator'),
    validFromMs: integer(entry, 'valid_from'),
    validToMs: integer(entry, 'valid_to'),
    revokedAtMs: entry['revoked_at'] === undefined ? undefined : integer(entry, 'revoked_at'),
  };
}

function text(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is not a text`);
  return value;
}

function integer(object: JsonObject, name: string): number {
  const value = object[name];
  if (!Number.isSafeInteger(value)) throw invalid(`${name} is not an integer`);
  return value as number;
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_TRUST_ROOT_INVALID', `trust root: ${what}`, { retry: 'never' });
}

/** The key if it may sign for the role at that time, else undefined. */
export function keyFor(root: TrustRoot, use: { keyId: string; role: Role; atMs: number }): TrustedKey | undefined {
  const key = root.keys.get(use.keyId);
  if (key === undefined || !key.roles.has(use.role)) return undefined;
  if (use.atMs < key.validFromMs || use.atMs > key.validToMs) return undefined;
  return key.revokedAtMs !== undefined && use.atMs >= key.revokedAtMs ? undefined : key;
}
