// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import { keyIdOf } from '@clyra/core/signing/ed25519';

/** What a person writes by hand; paths are relative to the draft itself. */
export type TrustDraft = {
  readonly members: JsonObject;
  readonly keys: readonly JsonObject[];
  readonly timeAuthorities: readonly JsonObject[];
  readonly validDays: number;
};

const DAY_MS = 86_400_000;
const VALID_DAYS_DEFAULT = 365;
const LIMITS = { bytesMax: 1_048_576, depthMax: 8, valuesMax: 20_000 };
const MEMBERS = ['log_origin', 'single_operator', 'thresholds', 'valid_days', 'keys', 'time_authorities'];

/** Reads a draft (docs/guides/trust.md). Throws CLY_TRUST_DRAFT that names what is wrong. */
export async function readTrustDraft(path: string, nowMs: number): Promise<TrustDraft> {
  const document = parseJson(await read(path), LIMITS);
  if (!isJsonObject(document)) throw wrong(path, 'is no object');
  const unknown = Object.keys(document).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw wrong(path, `has an unknown member ${unknown}; known are ${MEMBERS.join(', ')}`);
  const { keys = [], time_authorities: authorities = [], valid_days: days = VALID_DAYS_DEFAULT, ...members } = document;
  if (!Array.isArray(keys) || !Array.isArray(authorities))
    throw wrong(path, 'has keys or time_authorities that are no list');
  const validDays = daysOf(path, days);
  const base = dirname(resolve(path));
  const window = (entry: JsonObject): JsonObject => ({
    valid_from: nowMs,
    valid_to: nowMs + daysOf(path, entry['valid_days'] ?? validDays) * DAY_MS,
  });
  return {
    members: members as JsonObject,
    keys: await Promise.all(keys.map(async (entry) => keyOf(path, base, { entry, window }))),
    timeAuthorities: await Promise.all(authorities.map(async (entry) => authorityOf(path, base, { entry, window }))),
    validDays,
  };
}

type Entry = { readonly entry: JsonValue; readonly window: (entry: JsonObject) => JsonObject };

/** `key` names a signer of which only the public part is asked; `public_key` is its base64. */
async function keyOf(path: string, base: string, { entry, window }: Entry): Promise<JsonObject> {
  if (!isJsonObject(entry)) throw wrong(path, 'has a key that is no object');
  const { key, valid_days: _days, public_key: given, ...members } = entry;
  if (typeof key !== 'string' && typeof given !== 'string') throw wrong(path, 'has a key without key or public_key');
  const isElsewhere = typeof key === 'string' && /^(?:aws-kms:|https?:\/\/)/.test(key);
  const publicKey =
    typeof key === 'string'
      ? (await openSigner(isElsewhere ? key : resolve(base, key))).publicKey
      : Buffer.from(given as string, 'base64');
  return {
    key_id: keyIdOf(publicKey),
    alg: 'ed25519',
    public_key: Buffer.from(publicKey).toString('base64'),
    ...window(entry),
    ...members,
  };
}

/** `certificate_file` is a PEM file with one certificate. */
async function authorityOf(path: string, base: string, { entry, window }: Entry): Promise<JsonObject> {
  const file = isJsonObject(entry) ? entry['certificate_file'] : undefined;
  if (!isJsonObject(entry) || typeof file !== 'string')
    throw wrong(path, 'has a time authority without certificate_file');
  const { certificate_file: _file, valid_days: _days, ...members } = entry;
  const pem = (await read(resolve(base, file))).toString('utf8');
  const [, encoded, more] = pem.split(/-----(?:BEGIN|END) CERTIFICATE-----/);
  if (encoded === undefined || (more ?? '').trim() !== '') throw wrong(file, 'is not one certificate in PEM');
  const certificate = Buffer.from(encoded, 'base64').toString('base64');
  return { certificate, ...window(entry), ...members };
}

function daysOf(path: string, value: JsonValue): number {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 36_500) return value as number;
  throw wrong(path, 'has a valid_days that is not 1 to 36500');
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw wrong(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
}

function wrong(path: string, what: string): ClyraError {
  return new ClyraError('CLY_TRUST_DRAFT', `${path} ${what}`, { retry: 'never', context: { path } });
}
