// SPDX-License-Identifier: Apache-2.0
import { sortedNames } from './canonical-json.ts';
import { JsonError, type JsonErrorCode } from './json-error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';
import { type JsonLimits, parseJson } from './parse-json.ts';

/** docs/spec/records.md §1: what may be hashed or signed. */
export const RECORD_BYTES_MAX = 65_535;
export const RECORD_DEPTH_MAX = 32;

const RECORD_LIMITS: JsonLimits = { bytesMax: RECORD_BYTES_MAX, depthMax: RECORD_DEPTH_MAX, valuesMax: 65_535 };
const NAME = /^(?:[a-z][a-z0-9_]{0,63}|\$commit|\$leaf)$/;

/** Canonical bytes of a record we made. A value outside the grammar is refused: it must never be signed. */
export function encodeRecord(record: JsonObject): Uint8Array {
  const bytes = canonicalBytes(record);
  if (bytes.length > RECORD_BYTES_MAX) {
    throw new JsonError('CLY_JSON_SIZE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, RECORD_BYTES_MAX);
  }
  return bytes;
}

function canonicalBytes(record: JsonObject): Uint8Array {
  const text = objectText(record, 1);
  const suspicious =
    (text.includes('\\u') && ESCAPED_SURROGATE.test(text)) || (SUSPECT.test(text) && hasForbiddenPoint(text));
  if (suspicious) throw refusal('CLY_JSON_STRING', 'a string is not acceptable');
  return Buffer.from(text, 'utf8');
}

/**
 * Reads a record that somebody else made; refuses anything that is not byte for byte canonical. Throws JsonError.
 * `bytesMax` is another limit for lines that are no records on their own (records.md §2, state digest).
 */
export function parseRecord(bytes: Uint8Array, bytesMax: number = RECORD_BYTES_MAX): JsonObject {
  return parseCanonical(bytes, bytesMax) ?? parseStrictly(bytes, bytesMax);
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The fast way for what is right, and it is safe: canonical text that parses to a value whose canonical text it is
 * can hold no duplicate name, other number form, white space or escape variant. Anything else is read again
 * strictly, to say what is wrong.
 */
function parseCanonical(bytes: Uint8Array, bytesMax: number): JsonObject | undefined {
  if (bytes.length > bytesMax) return undefined;
  try {
    const text = utf8.decode(bytes);
    // A text with as many letters as bytes is ASCII, which holds none of the suspects; most records are.
    if (text.length !== bytes.length && SUSPECT.test(text)) return undefined;
    if (text.includes('\\u') && ESCAPED_SURROGATE.test(text)) return undefined;
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) && objectText(value, 1) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseStrictly(bytes: Uint8Array, bytesMax: number): JsonObject {
  const value = parseJson(bytes, { ...RECORD_LIMITS, bytesMax, valuesMax: bytesMax });
  if (!isJsonObject(value)) throw refusal('CLY_JSON_NOT_OBJECT', 'a record is an object');
  const canonical = canonicalBytes(value);
  const at = firstDifference(canonical, bytes);
  if (at < Math.max(canonical.length, bytes.length)) {
    throw new JsonError('CLY_JSON_NOT_CANONICAL', 'the bytes are not canonical', at);
  }
  return value;
}

/** Names that passed the grammar, with their quoted form: bodies use the same few dozen over and over. */
const quotedNames = new Map<string, string>();
const QUOTED_NAMES_MAX = 4_096;

function quotedName(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  if (!NAME.test(name)) throw refusal('CLY_JSON_NAME', 'a member name is outside the record grammar');
  const quoted = `"${name}":`;
  if (quotedNames.size < QUOTED_NAMES_MAX) quotedNames.set(name, quoted);
  return quoted;
}

function valueText(value: JsonValue, depth: number): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
        throw refusal('CLY_JSON_NUMBER', 'a record has integers within ±(2^53−1) only');
      }
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'null';
      return Array.isArray(value) ? listText(value, depth) : objectText(value as JsonObject, depth);
  }
}

function listText(list: readonly JsonValue[], depth: number): string {
  if (depth > RECORD_DEPTH_MAX) throw refusal('CLY_JSON_DEPTH', 'a record is too deep');
  let text = '[';
  for (let index = 0; index < list.length; index += 1) {
    if (index > 0) text += ',';
    text += valueText(list[index] as JsonValue, depth + 1);
  }
  return `${text}]`;
}

function objectText(object: JsonObject, depth: number): string {
  if (depth > RECORD_DEPTH_MAX) throw refusal('CLY_JSON_DEPTH', 'a record is too deep');
  let text = '{';
  for (const name of sortedNames(object)) {
    const member = object[name];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += quotedName(name) + valueText(member, depth + 1);
  }
  return `${text}}`;
}

const SUSPECT = /[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]/;
/**
 * JSON.stringify writes a lone surrogate as an escape, so it would come back as it went in. Behind an even number of
 * backslashes stands an escape; behind an odd one a text that only looks like it.
 */
const ESCAPED_SURROGATE = /(?<!\\)(?:\\\\)*\\u[dD][89a-fA-F]/;

function hasForbiddenPoint(text: string): boolean {
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) return true;
    if ((point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe) return true;
  }
  return false;
}

function refusal(code: JsonErrorCode, message: string): JsonError {
  return new JsonError(code, message, 0);
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at += 1;
  return at;
}
