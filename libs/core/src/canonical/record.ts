// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from './canonical-json.ts';
import { JsonError } from './json-error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { type JsonLimits, parseJson } from './parse-json.ts';

/** docs/spec/records.md §1: what may be hashed or signed. */
export const RECORD_BYTES_MAX = 65_535;
export const RECORD_DEPTH_MAX = 32;

const RECORD_LIMITS: JsonLimits = { bytesMax: RECORD_BYTES_MAX, depthMax: RECORD_DEPTH_MAX, valuesMax: 65_535 };
const NAME = /^(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)$/;

/** Canonical bytes of a record we made. A value outside the grammar is refused: it must never be signed. */
export function encodeRecord(record: JsonObject): Uint8Array {
  assertRecordValue(record, 1);
  const bytes = Buffer.from(canonicalJson(record), 'utf8');
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new JsonError('CLY_JSON_SIZE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, RECORD_BYTES_MAX);
  }
  return bytes;
}

/** Reads a record that somebody else made; refuses anything that is not byte for byte canonical. Throws JsonError. */
export function parseRecord(bytes: Uint8Array): JsonObject {
  const value = parseJson(bytes, RECORD_LIMITS);
  if (!isJsonObject(value)) throw new JsonError('CLY_JSON_NOT_OBJECT', 'a record is an object', 0);
  assertRecordValue(value, 1);
  const canonical = Buffer.from(canonicalJson(value), 'utf8');
  if (!canonical.equals(bytes)) {
    throw new JsonError('CLY_JSON_NOT_CANONICAL', 'the bytes are not canonical', firstDifference(canonical, bytes));
  }
  return value;
}

function assertRecordValue(value: JsonValue, depth: number): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new JsonError('CLY_JSON_NUMBER', 'a record has integers within ±(2^53−1) only', 0);
    }
  } else if (typeof value === 'string') {
    if (hasForbiddenPoint(value)) throw new JsonError('CLY_JSON_STRING', 'a string is not acceptable', 0);
  } else if (typeof value === 'object' && value !== null) {
    if (depth > RECORD_DEPTH_MAX) throw new JsonError('CLY_JSON_DEPTH', 'a record is too deep', 0);
    if (Array.isArray(value)) for (const item of value) assertRecordValue(item as JsonValue, depth + 1);
    else assertMembers(value as JsonObject, depth);
  }
}

function assertMembers(value: JsonObject, depth: number): void {
  for (const name of Object.keys(value)) {
    if (!NAME.test(name)) throw new JsonError('CLY_JSON_NAME', 'a member name is outside the record grammar', 0);
    const member = value[name];
    if (member !== undefined) assertRecordValue(member, depth + 1);
  }
}

const SUSPECT = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;

function hasForbiddenPoint(text: string): boolean {
  if (!SUSPECT.test(text)) return false;
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return true;
    if ((point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe) return true;
  }
  return false;
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}
