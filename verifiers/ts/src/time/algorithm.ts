// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, verify } from 'node:crypto';
import { childrenOf, type Element, oidOf, TAG } from './der.ts';

export type Hash = 'sha256' | 'sha384' | 'sha512';
const HASHES: ReadonlyMap<string, Hash> = new Map<string, Hash>([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
/** Signature algorithms that name their hash. */
const SIGNATURES: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  ['1.2.840.113549.1.1.11', { key: 'rsa', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { key: 'rsa', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { key: 'rsa', hash: 'sha512' }],
  ['1.2.840.10045.4.3.2', { key: 'ec', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { key: 'ec', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { key: 'ec', hash: 'sha512' }],
]);
/** Signature algorithms of a CMS signer that leave the hash to its digest algorithm. */
const KEYS: ReadonlyMap<string, 'rsa' | 'ec'> = new Map<string, 'rsa' | 'ec'>([
  ['1.2.840.113549.1.1.1', 'rsa'],
  ['1.2.840.10045.2.1', 'ec'],
]);
const RSA_BITS_LEAST = 2_048;
const CURVES: ReadonlySet<string> = new Set(['prime256v1', 'secp384r1']);

export interface SignatureAlgorithm {
  readonly key: 'rsa' | 'ec';
  readonly hash: Hash;
}

/** The hash that an AlgorithmIdentifier names, or null for one that is not known. */
export function hashOf(identifier: Element): Hash | null {
  return HASHES.get(oidOf(childrenOf(identifier).take(TAG.oid))) ?? null;
}

/** The signature algorithm that an AlgorithmIdentifier names, or null for one that is not known. */
export function algorithmOf(identifier: Element, digest: Hash | null = null): SignatureAlgorithm | null {
  const oid = oidOf(childrenOf(identifier).take(TAG.oid));
  const key = KEYS.get(oid);
  return key !== undefined && digest !== null ? { key, hash: digest } : (SIGNATURES.get(oid) ?? null);
}

/** Whether a key is of a kind and size that may sign. */
export function isKnownKey(key: KeyObject | null, algorithm: SignatureAlgorithm): key is KeyObject {
  if (key === null || key.asymmetricKeyType !== algorithm.key) {
    return false;
  }
  const details = key.asymmetricKeyDetails ?? {};
  return algorithm.key === 'rsa'
    ? (details.modulusLength ?? 0) >= RSA_BITS_LEAST
    : CURVES.has(details.namedCurve ?? '');
}

export function isSigned(
  by: { readonly key: KeyObject; readonly algorithm: SignatureAlgorithm },
  bytes: Buffer,
  signature: Buffer,
): boolean {
  try {
    return verify(by.algorithm.hash, bytes, by.key, signature);
  } catch {
    return false;
  }
}
