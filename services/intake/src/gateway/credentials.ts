// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { DIGEST } from '@clyra/core/canonical/digest';
import { JsonError } from '@clyra/core/canonical/json-error';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ID, TENANT } from '@clyra/core/change/shape';
import type { HttpSignatureAlgorithm } from '@clyra/core/inspection/http-signature';
import type { HmacKey } from '@clyra/core/inspection/request-signature';
import { ClyraError } from '@clyra/core/kernel/error';

/** A caller's key. `actors` are those it may speak for; `*` alone is any actor of its tenant. */
export type Credential = {
  readonly id: string;
  readonly tenant: string;
  readonly actors: readonly string[];
  /** Of the HMAC headers; absent where the caller signs otherwise. */
  readonly secret?: HmacKey;
  /** Of RFC 9421 signatures. */
  readonly signatureKey?: { readonly algorithm: HttpSignatureAlgorithm; readonly key: KeyObject };
  /** SHA-256 of the public keys (SPKI) whose certificates stand for the caller. */
  readonly certificateKeys?: readonly string[];
};

const SECRET_BYTES_MIN = 16;
const RSA_BITS_MIN = 2_048;
const CERTIFICATE_KEYS_MAX = 8;
/** With the claims of header and body a change names at most eight actors. */
const ACTORS_MAX = 6;
const LIMITS = { bytesMax: 4_194_304, depthMax: 6, valuesMax: 100_000 };

/**
 * Reads `{"credentials": [{"key_id", "tenant", "actors": [...] | "*", …}]}`, each with at least one proof: `secret`
 * (base64), `public_key` (SPKI in base64) with its `algorithm`, or `certificate_keys` (SHA-256 of SPKI, hex). Throws
 * CLY_CREDENTIALS_INVALID that names the entry at fault, never a secret.
 */
export function parseCredentials(bytes: Uint8Array): ReadonlyMap<string, Credential> {
  const document = parseDocument(bytes);
  const list = isJsonObject(document) ? document['credentials'] : undefined;
  if (!Array.isArray(list)) throw invalid('write {"credentials": [...]}');
  const credentials = new Map<string, Credential>();
  for (const [index, entry] of (list as readonly JsonValue[]).entries()) {
    const credential = parseCredential(entry, index);
    if (credentials.has(credential.id)) throw invalid(`entry ${index}: key_id ${credential.id} stands twice`);
    credentials.set(credential.id, credential);
  }
  return credentials;
}

function parseDocument(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, LIMITS);
  } catch (error) {
    if (error instanceof JsonError) throw invalid(`it is no acceptable JSON (${error.code}, ${error.message})`);
    throw error;
  }
}

function parseCredential(entry: JsonValue, index: number): Credential {
  if (!isJsonObject(entry)) throw invalid(`entry ${index} is not an object`);
  const { key_id: id, tenant } = entry;
  const actors = typeof entry['actors'] === 'string' ? [entry['actors']] : entry['actors'];
  if (typeof id !== 'string' || !ID.test(id)) throw invalid(`entry ${index}: key_id is not an id`);
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) throw invalid(`entry ${index}: tenant is not a tenant name`);
  if (!Array.isArray(actors) || actors.length === 0 || actors.length > ACTORS_MAX) {
    throw invalid(`entry ${index}: actors is * or a list of 1 to ${ACTORS_MAX}; use a key for each group of actors`);
  }
  const known = (actor: unknown): actor is string => typeof actor === 'string' && (actor === '*' || ID.test(actor));
  if (!actors.every(known) || (actors.includes('*') && actors.length > 1)) {
    throw invalid(`entry ${index}: an actor is not an id`);
  }
  return { id, tenant, actors: actors as string[], ...readProofs(entry, index) };
}

type Proofs = Pick<Credential, 'secret' | 'signatureKey' | 'certificateKeys'>;

function readProofs(entry: JsonObject, index: number): Proofs {
  const { secret, public_key: publicKey, certificate_keys: certificateKeys } = entry;
  if ([secret, publicKey, certificateKeys].every((proof) => proof === undefined)) {
    throw invalid(`entry ${index}: write a secret, a public_key or certificate_keys`);
  }
  const hmac = secret === undefined ? undefined : readSecret(secret, index);
  const signatureKey = publicKey === undefined ? hmacSignature(hmac) : readPublicKey(entry, index);
  return {
    ...(hmac === undefined ? {} : { secret: hmac }),
    ...(signatureKey === undefined ? {} : { signatureKey }),
    ...(certificateKeys === undefined ? {} : { certificateKeys: readCertificateKeys(certificateKeys, index) }),
  };
}

function hmacSignature(key: KeyObject | undefined): Credential['signatureKey'] {
  return key && { algorithm: 'hmac-sha256', key };
}

function readSecret(secret: JsonValue, index: number): KeyObject {
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'base64') : Buffer.alloc(0);
  if (bytes.length < SECRET_BYTES_MIN)
    throw invalid(`entry ${index}: secret is not base64 of ${SECRET_BYTES_MIN}+ bytes`);
  return createSecretKey(bytes);
}

/** The key itself says what it is good for; the algorithm must be one that fits it. */
const KEY_TYPES: Readonly<Record<string, string>> = {
  ed25519: 'ed25519',
  'ecdsa-p256-sha256': 'ec',
  'rsa-pss-sha512': 'rsa',
};

function readPublicKey(entry: JsonObject, index: number): NonNullable<Credential['signatureKey']> {
  const { public_key: spki, algorithm } = entry;
  const type = typeof algorithm === 'string' ? KEY_TYPES[algorithm] : undefined;
  if (type === undefined || typeof spki !== 'string') {
    throw invalid(`entry ${index}: a public_key has an algorithm: ${Object.keys(KEY_TYPES).join(', ')}`);
  }
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
    const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
    const isStrong =
      type === 'rsa' ? (modulusLength ?? 0) >= RSA_BITS_MIN : type !== 'ec' || namedCurve === 'prime256v1';
    if (key.asymmetricKeyType === type && isStrong) return { algorithm: algorithm as HttpSignatureAlgorithm, key };
  } catch {
    // The message below says what to do about it.
  }
  throw invalid(`entry ${index}: public_key is not an SPKI in base64 for ${String(algorithm)}`);
}

function readCertificateKeys(keys: JsonValue, index: number): readonly string[] {
  const isList = Array.isArray(keys) && keys.length > 0 && keys.length <= CERTIFICATE_KEYS_MAX;
  if (!isList || !keys.every((key) => typeof key === 'string' && DIGEST.test(key))) {
    throw invalid(`entry ${index}: certificate_keys is a list of SHA-256 digests in hex`);
  }
  return keys as string[];
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_CREDENTIALS_INVALID', `correct the credentials file: ${what}`, { retry: 'never' });
}
