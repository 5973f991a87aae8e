// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from './json-value.ts';

/** The RFC 8785 text of a value. JSON.stringify writes strings and numbers of JSON exactly as RFC 8785 asks. */
export function encodeCanonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  if (!Array.isArray(value)) {
    return encodeObject(value);
  }
  let text = '[';
  for (let index = 0; index < value.length; index += 1) {
    text += (index === 0 ? '' : ',') + encodeCanonical(value[index] as JsonValue);
  }
  return `${text}]`;
}

function encodeObject(value: JsonObject): string {
  let text = '{';
  let separator = '';
  // The default sort compares UTF-16 code units, the order of RFC 8785.
  for (const name of Object.keys(value).sort()) {
    text += `${separator}${JSON.stringify(name)}:${encodeCanonical(value[name] as JsonValue)}`;
    separator = ',';
  }
  return `${text}}`;
}
