// SPDX-License-Identifier: Apache-2.0
import { createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, KMSClient, KMSServiceException, SignCommand } from '@aws-sdk/client-kms';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { rawPublicKey } from './private-key.ts';
import { remoteSigner } from './remote-signer.ts';
import { signerRefused, signerUnavailable } from './signer-error.ts';

export type KmsSignerOptions = {
  /** Key id, key ARN or alias ARN of an asymmetric key of spec ECC_NIST_EDWARDS25519, usage SIGN_VERIFY. */
  readonly keyId: string;
  readonly region?: string;
  /** Another address than the region's own: a VPC endpoint, or a stand-in. */
  readonly endpoint?: string;
  /** For one signature, with the client's own repetitions inside. */
  readonly deadlineMs: number;
};

const KEY_SPEC = 'ECC_NIST_EDWARDS25519';
const ATTEMPTS_MAX = 3;
/** What AWS says of a moment, and not of the key or of the caller. */
const PASSING = new Set([
  'DependencyTimeoutException',
  'KMSInternalException',
  'KeyUnavailableException',
  'LimitExceededException',
  'ThrottlingException',
  'RequestTimeout',
  'ServiceUnavailable',
  'InternalFailure',
]);

/**
 * Signs with a key that never leaves AWS KMS. Credentials come from the SDK's own chain, never from our settings.
 * Rejects with CLY_SIGNER_UNAVAILABLE or CLY_SIGNER_REFUSED.
 */
export async function kmsSigner(options: KmsSignerOptions): Promise<Signer> {
  const where = `aws-kms:${options.keyId}`;
  const client = new KMSClient({
    maxAttempts: ATTEMPTS_MAX,
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
  });
  const within = <T>(send: (abort: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> =>
    send({ abortSignal: AbortSignal.timeout(options.deadlineMs) }).catch((cause: unknown) => {
      throw kmsError(where, cause, options.deadlineMs);
    });
  const found = await within((abort) => client.send(new GetPublicKeyCommand({ KeyId: options.keyId }), abort));
  if (found.KeySpec !== KEY_SPEC || found.KeyUsage !== 'SIGN_VERIFY' || found.PublicKey === undefined) {
    throw signerRefused(where, `is a key of spec ${found.KeySpec}: make one of spec ${KEY_SPEC} and usage SIGN_VERIFY`);
  }
  return remoteSigner({
    where,
    publicKey: publicKeyOf(where, found.PublicKey),
    sign: async (bytes) => {
      // RAW: KMS hashes inside of Ed25519. ED25519_PH_SHA_512 is another scheme, which no reader of ours accepts.
      const command = new SignCommand({
        KeyId: options.keyId,
        Message: bytes,
        MessageType: 'RAW',
        SigningAlgorithm: 'ED25519_SHA_512',
      });
      const { Signature: signature } = await within((abort) => client.send(command, abort));
      if (signature === undefined) throw signerRefused(where, 'gave no signature');
      return signature;
    },
  });
}

function publicKeyOf(where: string, spki: Uint8Array): Uint8Array {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519') return rawPublicKey(key);
  } catch (cause) {
    throw signerRefused(where, 'gave no public key', cause);
  }
  throw signerRefused(where, 'gave the public key of another algorithm');
}

function kmsError(where: string, cause: unknown, deadlineMs: number): unknown {
  if (cause instanceof ClyraError) return cause;
  if (cause instanceof KMSServiceException) {
    const why = `${cause.name}: ${cause.message}`;
    const passes = PASSING.has(cause.name) || (cause.$metadata.httpStatusCode ?? 500) >= 500;
    return passes ? signerUnavailable(where, why, cause) : signerRefused(where, why, cause);
  }
  const { name, message } = cause as Error;
  if (name === 'CredentialsProviderError') return signerRefused(where, `no AWS credentials: ${message}`, cause);
  return signerUnavailable(where, name === 'AbortError' ? `no answer within ${deadlineMs} ms` : message, cause);
}
