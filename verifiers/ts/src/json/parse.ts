// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from './encode.ts';
import { JsonError } from './json-error.ts';
import type { JsonObject, JsonValue } from './json-value.ts';
import { Scanner } from './scanner.ts';
import { findInvalidUtf8 } from './utf8.ts';

export interface JsonForm {
  /** `record`: names of our grammar and integers only (records.md §1). `any`: what JSON allows. */
  readonly grammar: 'record' | 'any';
  /** Whether the bytes must be the RFC 8785 form: if so, white space, order and escapes are judged too. */
  readonly canonical: boolean;
  readonly bytesMax: number;
}

export interface ParsedJson {
  readonly value: JsonObject;
  readonly text: string;
  /** The text of an object that stands at depth 3 or higher up, as it stands in the input. */
  textOf(value: JsonObject): string;
}

export const RECORD: JsonForm = { grammar: 'record', canonical: true, bytesMax: 65_535 };

/** Parses bytes whose outermost value is an object. Throws a JsonError that names the byte; repairs nothing. */
export function parseJson(bytes: Uint8Array, form: JsonForm): ParsedJson {
  if (bytes.length > form.bytesMax) {
    throw new JsonError('CLY_JSON_SIZE', `${bytes.length} bytes, at most ${form.bytesMax} are allowed`, form.bytesMax);
  }
  const invalidAt = findInvalidUtf8(bytes);
  if (invalidAt >= 0) {
    throw new JsonError('CLY_JSON_UTF8', 'not UTF-8', invalidAt);
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const scanner = new Scanner(text, form.grammar === 'record', form.canonical);
  const value = scanner.scanDocument();
  if (form.canonical) {
    requireCanonical(value, text);
  }
  return {
    value,
    text,
    textOf: (inner) => {
      const span = scanner.spans.get(inner);
      return span === undefined ? encodeCanonical(inner) : text.slice(span.from, span.to);
    },
  };
}

/** Judged apart from the scanner, by writing the value again, so that one mistake must be made twice to pass. */
function requireCanonical(value: JsonValue, text: string): void {
  // The runtime writes members as they were read, and the scanner has held their order: for nearly all input this is
  // the canonical text already, at a fraction of the time. It reorders names like "10", which the encoder then judges.
  if (JSON.stringify(value) === text) {
    return;
  }
  const canonical = encodeCanonical(value);
  if (canonical === text) {
    return;
  }
  let at = 0;
  while (at < text.length && text.charCodeAt(at) === canonical.charCodeAt(at)) {
    at += 1;
  }
  throw new JsonError('CLY_JSON_CANONICAL', 'not in canonical form', Buffer.byteLength(text.slice(0, at)));
}
