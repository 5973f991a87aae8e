// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { digestOf } from '../canonical/digest.ts';
import { isSmallOrder } from './small-order.ts';

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** docs/spec/records.md §2: a key is named by its hash, so a name cannot be given to another key. */
export function keyIdOf(publicKey: Uint8Array): string {
  return digestOf(publicKey).slice(0, 32);
}

const smallOrderKeys = new WeakSet<KeyObject>();

/** Importing a key costs more than using it: do it once for each key (RFC 8410 §4 for the prefix). */
export function importPublicKey(publicKey: Uint8Array): KeyObject {
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  if (isSmallOrder(publicKey)) smallOrderKeys.add(key);
  return key;
}

/** The platform's own Ed25519 decides, but for points of small order, on which platforms differ. */
export function verifyEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64 || smallOrderKeys.has(key) || isSmallOrder(signature.subarray(0, 32))) return false;
  return verify(null, message, key, signature);
}
