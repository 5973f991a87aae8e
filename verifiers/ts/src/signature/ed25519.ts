// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, type KeyObject, verify } from 'node:crypto';

/** A key object of a raw 32-byte Ed25519 public key. */
export function importEd25519(publicKey: Buffer): KeyObject {
  return createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: publicKey.toString('base64url') },
    format: 'jwk',
  });
}

/** Whether `signature` (64 bytes) is a pure Ed25519 signature of `message`; false also for a key that is no point. */
export function verifyEd25519(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return signature.length === 64 && verify(null, message, key, signature);
  } catch {
    return false;
  }
}
