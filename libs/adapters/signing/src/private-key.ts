// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ClyraError } from '@clyra/core/kernel/error';

/** RFC 8410 §4: an Ed25519 SubjectPublicKeyInfo is these 12 bytes and the key. */
const SPKI_PREFIX_SIZE = 12;

export type GeneratedKey = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** PKCS #8 in PEM: the whole secret. */
  readonly privateKeyPem: string;
};

export function generateKey(): GeneratedKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: rawPublicKey(publicKey),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Throws CLY_KEY_INVALID, which never repeats what the text was. `name` says where it came from. */
export function importPrivateKey(pem: string, name: string): KeyObject {
  const key = parsed(pem);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new ClyraError(
    'CLY_KEY_INVALID',
    `${name} is not an Ed25519 private key in PKCS #8 PEM: make one with \`openssl genpkey -algorithm ed25519\``,
    { retry: 'never', context: { name } },
  );
}

function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return undefined;
  }
}

export function rawPublicKey(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(SPKI_PREFIX_SIZE);
}
