// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto';
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { Role, TrustRoot } from '@clyra/core/signing/trust-root';

/** A key made at run time; no test key is ever committed. */
export type TestKey = Signer & { readonly subject: string; readonly roles: readonly Role[] };

/** RFC 8410 §7: an Ed25519 PKCS #8 key without attributes is these 16 bytes and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The same key for a subject in every run, so that worked examples can be compared; worth nothing outside of tests. */
export function makeTestKey(subject: string, roles: readonly Role[]): TestKey {
  const seed = hash('sha256', `test key of ${subject}`, 'buffer');
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const raw = rawPublicKey(createPublicKey(privateKey));
  return {
    subject,
    roles,
    keyId: keyIdOf(raw),
    publicKey: raw,
    sign: (bytes) => Promise.resolve(sign(null, bytes, privateKey)),
  };
}

function rawPublicKey(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' }).subarray(12);
}

export type TestTrust = { readonly keys: readonly TestKey[]; readonly bytes: Uint8Array; readonly root: TrustRoot };

/** A trust root over these keys, valid from the epoch's start for a very long time. */
export function makeTestTrust(keys: readonly TestKey[]): TestTrust {
  const document = {
    format: 'clyra/trust-root/v0',
    version: 1,
    expires_at: 4_102_444_800_000,
    log_origin: 'test.clyra.example',
    single_operator: false,
    keys: keys.map((key) => ({
      key_id: key.keyId,
      alg: 'ed25519',
      public_key: Buffer.from(key.publicKey).toString('base64'),
      roles: [...key.roles],
      subject: key.subject,
      operator: 'test',
      valid_from: 0,
      valid_to: 4_102_444_800_000,
    })),
  };
  const bytes = Buffer.from(canonicalJson(document), 'utf8');
  return { keys, bytes, root: parseTrustRoot(bytes) };
}
