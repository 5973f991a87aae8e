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
  return withinLimit(canonicalBytes(record));
}

function withinLimit(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= RECORD_BYTES_MAX) return bytes;
  throw new JsonError('CLY_JSON_SIZE', `a record is larger than ${RECORD_BYTES_MAX} bytes`, RECORD_BYTES_MAX);
}

/**
 * As `encodeRecord`, of a text that the caller put together in canonical form: for bodies of which there are so many that
 * an object for each of them is a cost. The caller's tests hold it to `encodeRecord`.
 */
export function encodeRecordText(text: string): Uint8Array {
  return withinLimit(bytesOf(text));
}

function canonicalBytes(record: JsonObject): Uint8Array {
  // Bodies are built in canonical order, which the runtime writes in half the time; anything else is put in order first.
  return bytesOf(isOrdered(record, 1) ? JSON.stringify(record) : objectText(record, 1));
}

function bytesOf(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'utf8');
  // As many bytes as letters are ASCII, which holds none of the suspects; most records are.
  const isSuspect = bytes.length !== text.length && SUSPECT.test(text) && hasForbiddenPoint(text);
  if (isSuspect || (text.includes('\\u') && ESCAPED_SURROGATE.test(text))) {
    throw refusal('CLY_JSON_STRING', 'a string is not acceptable');
  }
  return bytes;
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
 * strictly, to say what is wrong. Where members come in canonical order, and integers are the only numbers, the
 * runtime writes what we would, in a third of the time: no name of a record is a number, which it would write first.
 */
function parseCanonical(bytes: Uint8Array, bytesMax: number): JsonObject | undefined {
  if (bytes.length > bytesMax) return undefined;
  try {
    const text = utf8.decode(bytes);
    // A text with as many letters as bytes is ASCII, which holds none of the suspects; most records are.
    if (text.length !== bytes.length && SUSPECT.test(text)) return undefined;
    if (text.includes('\\u') && ESCAPED_SURROGATE.test(text)) return undefined;
    const value = JSON.parse(text) as JsonValue;
    return isJsonObject(value) && isOrdered(value, 1) && JSON.stringify(value) === text ? value : undefined;
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

function quotedName(name: string): string | undefined {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  if (!NAME.test(name)) return undefined;
  const made = `"${name}":`;
  if (quotedNames.size < QUOTED_NAMES_MAX) quotedNames.set(name, made);
  return made;
}

function valueText(value: JsonValue, depth: number): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      if (!isRecordNumber(value)) {
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
    const quotedAs = quotedName(name);
    if (quotedAs === undefined) throw refusal('CLY_JSON_NAME', 'a member name is outside the record grammar');
    text += quotedAs + valueText(member, depth + 1);
  }
  return `${text}}`;
}

/** Whether this is a record in canonical order, as far as its members, its numbers and its depth go. */
function isOrdered(value: JsonValue, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return isRecordNumber(value);
    case 'object':
      if (value === null) return true;
      if (depth > RECORD_DEPTH_MAX) return false;
      return Array.isArray(value) ? isOrderedList(value, depth) : isOrderedObject(value as JsonObject, depth);
    default:
      return false;
  }
}

function isOrderedList(items: readonly JsonValue[], depth: number): boolean {
  for (let index = 0; index < items.length; index += 1) {
    if (!isOrdered(items[index] as JsonValue, depth + 1)) return false;
  }
  return true;
}

function isOrderedObject(object: JsonObject, depth: number): boolean {
  const names = Object.keys(object);
  let previous = '';
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] as string;
    if (previous >= name) return false;
    previous = name;
    const member = object[name];
    // A member that is undefined is not written, so its name does not matter either.
    if (member !== undefined && (quotedName(name) === undefined || !isOrdered(member, depth + 1))) return false;
  }
  return true;
}

function isRecordNumber(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

/** Most texts are ids, digests and words, which are written as they stand; asking for that costs less than a call to write them. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const SHORT_LENGTH_MAX = 16;

function quoted(text: string): string {
  const isPlain = text.length > SHORT_LENGTH_MAX ? PLAIN.test(text) : isShortPlain(text);
  return isPlain ? `"${text}"` : JSON.stringify(text);
}

function isShortPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e || unit === 0x22 || unit === 0x5c) return false;
  }
  return true;
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
