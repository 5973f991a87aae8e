// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { generateKey, rawPublicKey } from './private-key.ts';

/** RFC 8410 §7: an Ed25519 PKCS #8 key without attributes is these 16 bytes and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Signs with a key that this process holds. The private part cannot be read from it. */
export function keySigner(privateKey: KeyObject): Signer {
  const publicKey = rawPublicKey(privateKey);
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    sign: async (bytes) => sign(null, bytes, privateKey),
  };
}

/** A new key that is kept nowhere: for tests and throw-away installations. */
export function memorySigner(): Signer {
  return keySigner(createPrivateKey(generateKey().privateKeyPem));
}

/** The key of a 32-byte seed: the same in every run, for the simulation and for vectors. Never for real evidence. */
export function seededSigner(seed: Uint8Array): Signer {
  return keySigner(createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' }));
}
