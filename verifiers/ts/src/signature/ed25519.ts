// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { isSmallOrder } from './small-order.ts';

const SIGNATURE_BYTES = 64;
/** Of each key that was imported: reading it back from a key object costs more than the signature check. */
const smallOrderKeys: WeakSet<KeyObject> = new WeakSet();

/** A key object of a raw 32-byte Ed25519 public key. */
export function importEd25519(publicKey: Buffer): KeyObject {
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  });
  if (isSmallOrder(publicKey)) {
    smallOrderKeys.add(key);
  }
  return key;
}

/** Whether `signature` (64 bytes) is a pure Ed25519 signature of `message`; false also for a key that is no point. */
export function verifyEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || smallOrderKeys.has(key)) {
    return false;
  }
  try {
    return !isSmallOrder(signature) && verify(null, message, key, signature);
  } catch {
    return false;
  }
}
