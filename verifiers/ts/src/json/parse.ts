// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from './encode.ts';
import { JsonError } from './json-error.ts';
import type { JsonObject } from './json-value.ts';
import { type Grammar, Tokenizer } from './tokenizer.ts';
import { findInvalidUtf8 } from './utf8.ts';

export interface JsonForm extends Grammar {
  readonly bytesMax: number;
}

export interface ParsedJson {
  readonly value: JsonObject;
  /** The bytes of an object that stands high up, as it stands in the input and only as long as the input does. */
  bytesOf(value: JsonObject): Uint8Array;
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
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tokenizer = new Tokenizer(buffer, form);
  const value = tokenizer.document();
  return {
    value,
    bytesOf: (inner) => {
      const span = tokenizer.spans.find(([object]) => object === inner);
      return span === undefined ? Buffer.from(encodeCanonical(inner)) : buffer.subarray(span[1], span[2]);
    },
  };
}
