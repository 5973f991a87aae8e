// SPDX-License-Identifier: Apache-2.0
import { DIGEST, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError } from '../kernel/error.ts';
import { importPublicKey, keyIdOf } from './ed25519.ts';
import {
  ROLES,
  type Role,
  type Thresholds,
  type TimeAuthority,
  type TrustedKey,
  type TrustRoot,
} from './trust-root.ts';

const LIMITS = { bytesMax: 1_048_576, depthMax: 8, valuesMax: 20_000 };
const KEYS_MAX = 1_024;
const TIME_AUTHORITIES_MAX = 32;
const THRESHOLD_MAX = 32;
const CERTIFICATE_BYTES_MAX = 8_192;
const LOG_ORIGIN = /^[a-z0-9][a-z0-9./-]{0,399}$/;
const NOTE_NAME = /^[^\s+]{1,256}$/u;
const REASON_LENGTH_MAX = 256;

const ROOT_MEMBERS = ['format', 'version', 'history', 'issued_at', 'expires_at', 'log_origin', 'single_operator'];
const KEY_MEMBERS = ['key_id', 'alg', 'public_key', 'roles', 'subject', 'name'];
const WINDOW_MEMBERS = ['operator', 'valid_from', 'valid_to', 'revoked_at', 'reason'];

/** Reads trust-root.json (docs/spec/trust.md §1). Throws CLY_TRUST_ROOT_INVALID that names the member at fault. */
export function parseTrustRoot(bytes: Uint8Array): TrustRoot {
  const document = parseJson(bytes, LIMITS);
  if (!isJsonObject(document)) throw invalid('the document is not an object');
  if (document['format'] !== 'clyra/trust-root/v0') throw invalid('format is not clyra/trust-root/v0');
  closed(document, [...ROOT_MEMBERS, 'thresholds', 'keys', 'time_authorities'], 'the document');
  if (document['keys'] === undefined) throw invalid('keys is not a list');
  const version = integer(document, 'version');
  const history = list(document, 'history', KEYS_MAX);
  if (version < 1 || history.length !== version - 1) throw invalid('history is not one digest for each version before');
  if (!history.every((digest) => typeof digest === 'string' && DIGEST.test(digest))) {
    throw invalid('history holds something that is no digest');
  }
  const logOrigin = text(document, 'log_origin');
  if (!LOG_ORIGIN.test(logOrigin)) throw invalid('log_origin is not a name without scheme, in lower case');
  return {
    digest: digestOf(bytes),
    version,
    history: history as string[],
    issuedAtMs: document['issued_at'] === undefined ? 0 : integer(document, 'issued_at'),
    expiresAtMs: integer(document, 'expires_at'),
    logOrigin,
    singleOperator: document['single_operator'] === true,
    thresholds: parseThresholds(document['thresholds']),
    keys: byName(list(document, 'keys', KEYS_MAX).map(parseKey), (key) => key.keyId),
    timeAuthorities: [
      ...byName(
        list(document, 'time_authorities', TIME_AUTHORITIES_MAX).map(parseTimeAuthority),
        (authority) => authority.name,
      ).values(),
    ],
  };
}

function parseThresholds(value: JsonValue | undefined): Thresholds {
  if (value === undefined) return { root: 1, tsa: 1, witness: 1 };
  if (!isJsonObject(value)) throw invalid('thresholds is not an object');
  closed(value, ['root', 'tsa', 'witness'], 'thresholds');
  const threshold = (name: string): number => {
    const count = integer(value, name);
    if (count < 1 || count > THRESHOLD_MAX) throw invalid(`thresholds.${name} is not 1 to ${THRESHOLD_MAX}`);
    return count;
  };
  return { root: threshold('root'), tsa: threshold('tsa'), witness: threshold('witness') };
}

function parseKey(entry: JsonValue): TrustedKey {
  if (!isJsonObject(entry)) throw invalid('a key is not an object');
  closed(entry, [...KEY_MEMBERS, ...WINDOW_MEMBERS], 'a key');
  if (entry['alg'] !== 'ed25519') throw invalid('a key has an algorithm other than ed25519');
  const publicKey = Buffer.from(text(entry, 'public_key'), 'base64');
  const keyId = text(entry, 'key_id');
  if (publicKey.length !== 32 || keyId !== keyIdOf(publicKey)) throw invalid(`key ${keyId} is not the hash of its key`);
  const roles = entry['roles'];
  if (!Array.isArray(roles) || !roles.every((role) => ROLES.includes(role as Role))) {
    throw invalid(`key ${keyId} has an unknown role`);
  }
  const name = entry['name'] === undefined ? undefined : text(entry, 'name');
  if (roles.includes('witness') !== (name !== undefined))
    throw invalid(`key ${keyId}: a name and role witness go together`);
  if (name !== undefined && !NOTE_NAME.test(name)) throw invalid(`key ${keyId} has a name that no note can carry`);
  return {
    keyId,
    publicKey,
    keyObject: importPublicKey(publicKey),
    roles: new Set(roles as Role[]),
    subject: text(entry, 'subject'),
    ...parseWindow(entry, `key ${keyId}`),
    name,
  };
}

function parseTimeAuthority(entry: JsonValue): TimeAuthority {
  if (!isJsonObject(entry)) throw invalid('a time authority is not an object');
  closed(entry, ['name', 'certificate', ...WINDOW_MEMBERS], 'a time authority');
  const name = text(entry, 'name');
  const encoded = text(entry, 'certificate');
  const certificate = Buffer.from(encoded, 'base64');
  const exact = certificate.toString('base64') === encoded;
  if (!exact || certificate.length === 0 || certificate.length > CERTIFICATE_BYTES_MAX) {
    throw invalid(`time authority ${name} has no certificate in base64 of at most ${CERTIFICATE_BYTES_MAX} bytes`);
  }
  return { name, certificate, ...parseWindow(entry, `time authority ${name}`) };
}

type Window = Pick<TimeAuthority, 'operator' | 'validFromMs' | 'validToMs' | 'revokedAtMs'>;

function parseWindow(entry: JsonObject, what: string): Window {
  const [validFromMs, validToMs] = [integer(entry, 'valid_from'), integer(entry, 'valid_to')];
  if (validFromMs > validToMs) throw invalid(`${what} is valid to before it is valid from`);
  const reason = entry['reason'];
  const isReason = typeof reason === 'string' && reason !== '' && reason.length <= REASON_LENGTH_MAX;
  if ((entry['revoked_at'] === undefined) !== (reason === undefined) || (reason !== undefined && !isReason)) {
    throw invalid(`${what}: revoked_at comes with a reason of 1 to ${REASON_LENGTH_MAX} characters`);
  }
  return {
    operator: text(entry, 'operator'),
    validFromMs,
    validToMs,
    revokedAtMs: entry['revoked_at'] === undefined ? undefined : integer(entry, 'revoked_at'),
  };
}

function byName<T>(entries: readonly T[], nameOf: (entry: T) => string): ReadonlyMap<string, T> {
  const named = new Map(entries.map((entry) => [nameOf(entry), entry]));
  if (named.size !== entries.length) throw invalid('a key or time authority stands twice');
  return named;
}

function closed(object: JsonObject, names: readonly string[], what: string): void {
  const unknown = Object.keys(object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`${what} has an unknown member ${unknown}`);
}

/** An absent list is empty. */
function list(object: JsonObject, name: string, countMax: number): JsonValue[] {
  const value = object[name] === undefined ? [] : object[name];
  if (!Array.isArray(value) || value.length > countMax) throw invalid(`${name} is not a list of at most ${countMax}`);
  return value;
}

function text(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string' || value === '') throw invalid(`${name} is not a text`);
  return value;
}

function integer(object: JsonObject, name: string): number {
  const value = object[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw invalid(`${name} is not an integer`);
  return value as number;
}

function invalid(what: string): ClyraError {
  return new ClyraError(
    'CLY_TRUST_ROOT_INVALID',
    `trust root: ${what}; \`clyra trust check\` reads a file before it is used`,
    { retry: 'never' },
  );
}
