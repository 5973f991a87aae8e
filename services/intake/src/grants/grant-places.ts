// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, type KeyObject } from 'node:crypto';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ID, TENANT } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';

/** A database that redeems grants, with the secret that it shares with intake. */
export type GrantPlace = {
  readonly sourceId: string;
  /** A source belongs to exactly one tenant; nobody else's changes get grants for it. */
  readonly tenant: string;
  /** Its name, as the database itself knows it. */
  readonly database: string;
  /** The role that must log in to redeem, or null for any writer. */
  readonly role: string | null;
  readonly key: KeyObject;
};

export type GrantPlaces = ReadonlyMap<string, GrantPlace>;

/** 32 to 64 bytes. */
const KEY = /^(?:[0-9a-f]{2}){32,64}$/;
const NAME = /^[^\u0000-\u001f\u007f]{1,128}$/;
const MEMBERS = new Set(['source_id', 'tenant', 'database', 'role', 'key']);
const LIMITS = { bytesMax: 4_194_304, depthMax: 6, valuesMax: 100_000 };

/**
 * Reads `{"places": [{"source_id", "tenant", "database", "role"?, "key"}]}`, `key` in hexadecimal digits, as `clyra guard
 * install` keeps it. Throws CLY_GRANT_PLACES_INVALID that names the entry at fault, never a secret.
 */
export function parseGrantPlaces(bytes: Uint8Array): GrantPlaces {
  const list = listOf(bytes);
  const places = new Map<string, GrantPlace>();
  for (const [index, entry] of list.entries()) {
    const place = placeOf(entry, index);
    if (places.has(place.sourceId)) throw invalid(`entry ${index}: source_id ${place.sourceId} stands twice`);
    places.set(place.sourceId, place);
  }
  return places;
}

function listOf(bytes: Uint8Array): readonly JsonValue[] {
  let document: JsonValue;
  try {
    document = parseJson(bytes, LIMITS);
  } catch (cause) {
    if (!(cause instanceof ClyraError)) throw cause;
    throw invalid(`it is no acceptable JSON (${cause.code}, ${cause.message})`);
  }
  const list = isJsonObject(document) ? document['places'] : undefined;
  if (!Array.isArray(list)) throw invalid('write {"places": [...]}');
  return list as readonly JsonValue[];
}

function placeOf(entry: JsonValue, index: number): GrantPlace {
  if (!isJsonObject(entry)) throw invalid(`entry ${index} is not an object`);
  const unknown = Object.keys(entry).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) throw invalid(`entry ${index}: there is no member ${unknown}`);
  const { role = null } = entry;
  if (role !== null && (typeof role !== 'string' || !NAME.test(role))) throw invalid(`entry ${index}: role is no name`);
  return {
    sourceId: textOf(entry, { name: 'source_id', index, pattern: ID }),
    tenant: textOf(entry, { name: 'tenant', index, pattern: TENANT }),
    database: textOf(entry, { name: 'database', index, pattern: NAME }),
    role,
    key: createSecretKey(Buffer.from(textOf(entry, { name: 'key', index, pattern: KEY }), 'hex')),
  };
}

type Text = { readonly name: string; readonly index: number; readonly pattern: RegExp };

function textOf(entry: JsonObject, { name, index, pattern }: Text): string {
  const value = entry[name];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw invalid(`entry ${index}: ${name} is missing or not of the right form`);
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_GRANT_PLACES_INVALID', `correct the file of grant places: ${what}`, { retry: 'never' });
}
