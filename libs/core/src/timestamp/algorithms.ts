// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import { type DerReader, oidText } from './der-reader.ts';
import { stampError } from './stamp-error.ts';

export const OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
  sha256: '2.16.840.1.101.3.4.2.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectKeyId: '2.5.29.14',
  commonName: '2.5.4.3',
} as const;

export type Hash = 'sha256' | 'sha384' | 'sha512';

const HASHES: Readonly<Record<string, Hash>> = {
  [OID.sha256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
/** Key type, and the hash where the algorithm names one. */
const SIGNATURES: Readonly<Record<string, { readonly key: 'rsa' | 'ec'; readonly hash?: Hash }>> = {
  '1.2.840.113549.1.1.1': { key: 'rsa' },
  '1.2.840.113549.1.1.11': { key: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { key: 'rsa', hash: 'sha512' },
  [OID.ecdsaWithSha256]: { key: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { key: 'ec', hash: 'sha512' },
};
const RSA_BITS_MIN = 2_048;
const CURVES = new Set(['prime256v1', 'secp384r1']);

/** The identifier of an AlgorithmIdentifier; parameters are read over. */
export function algorithmOf(reader: DerReader): string {
  const algorithm = reader.open(0x30);
  return oidText(algorithm.next(0x06));
}

export function hashNamed(algorithm: string): Hash {
  const found = HASHES[algorithm];
  if (found === undefined) throw stampError(`has a hash that no reader takes (${algorithm})`);
  return found;
}

export function digestBy(algorithm: Hash | 'sha1', bytes: Uint8Array): Uint8Array {
  return hash(algorithm, bytes, 'buffer');
}

export type SignedBytes = {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly algorithm: string;
  /** The hash, where the signature's algorithm names none. */
  readonly digest?: Hash;
};

/** Whether the key of this SubjectPublicKeyInfo signed the bytes. Throws CLY_TIME_STAMP for what no reader takes. */
export function isSignedBy(spki: Uint8Array, { bytes, signature, algorithm, digest }: SignedBytes): boolean {
  const known = SIGNATURES[algorithm];
  const hashName = known?.hash ?? digest;
  if (known === undefined || hashName === undefined) {
    throw stampError(`has a signature algorithm that no reader takes (${algorithm})`);
  }
  const key = importSpki(spki);
  const details = key.asymmetricKeyDetails;
  const isStrong =
    known.key === 'rsa'
      ? key.asymmetricKeyType === 'rsa' && (details?.modulusLength ?? 0) >= RSA_BITS_MIN
      : key.asymmetricKeyType === 'ec' && CURVES.has(details?.namedCurve ?? '');
  if (!isStrong) throw stampError('has a key that no reader takes');
  return verify(hashName, bytes, key, signature);
}

function importSpki(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw stampError('has a certificate without a key');
  }
}
