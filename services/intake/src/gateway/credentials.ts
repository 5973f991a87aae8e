// SPDX-License-Identifier: Apache-2.0
import { createSecretKey } from 'node:crypto';
import { JsonError } from '@clyra/core/canonical/json-error';
import { isJsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ID, TENANT } from '@clyra/core/change/shape';
import type { HmacKey } from '@clyra/core/inspection/request-signature';
import { ClyraError } from '@clyra/core/kernel/error';

/** A caller's key. `actors` are those it may speak for; `*` alone is any actor of its tenant. */
export type Credential = {
  readonly id: string;
  readonly tenant: string;
  readonly actors: readonly string[];
  readonly secret: HmacKey;
};

const SECRET_BYTES_MIN = 16;
/** With the claims of header and body a change names at most eight actors. */
const ACTORS_MAX = 6;
const LIMITS = { bytesMax: 4_194_304, depthMax: 6, valuesMax: 100_000 };

/**
 * Reads `{"credentials": [{"key_id", "tenant", "actors": [...] | "*", "secret": base64}]}`. Throws
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
  const { key_id: id, tenant, secret } = entry;
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
  const bytes = typeof secret === 'string' ? Buffer.from(secret, 'base64') : Buffer.alloc(0);
  if (bytes.length < SECRET_BYTES_MIN)
    throw invalid(`entry ${index}: secret is not base64 of ${SECRET_BYTES_MIN}+ bytes`);
  return { id, tenant, actors: actors as string[], secret: createSecretKey(bytes) };
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_CREDENTIALS_INVALID', `correct the credentials file: ${what}`, { retry: 'never' });
}
