// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { digestOf } from '../canonical/digest.ts';

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** docs/spec/records.md §2: a key is named by its hash, so a name cannot be given to another key. */
export function keyIdOf(publicKey: Uint8Array): string {
  return digestOf(publicKey).slice(0, 32);
}

/** Importing a key costs more than using it: do it once for each key (RFC 8410 §4 for the prefix). */
export function importPublicKey(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}

/** The platform's own Ed25519 is the only one that decides; it agrees with Go's on all known vectors. */
export function verifyEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, key, signature);
}
