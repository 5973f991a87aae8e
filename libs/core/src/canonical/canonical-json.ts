// SPDX-License-Identifier: Apache-2.0
import { assert } from '../kernel/assert.ts';
import { isJsonObject, type JsonValue } from './json-value.ts';

/**
 * RFC 8785 text of a JSON value: members ascending by UTF-16 code units, ECMAScript numbers, minimal escapes.
 * The caller vouches for the value (parsed by parseJson, or built in code): no undefined in arrays, no NaN.
 * Members that are undefined are left out.
 */
export function canonicalJson(value: JsonValue): string {
  if (isJsonObject(value)) return canonicalObject(value);
  if (Array.isArray(value)) {
    let text = '[';
    for (let index = 0; index < value.length; index += 1) {
      text += (index === 0 ? '' : ',') + canonicalJson(value[index] as JsonValue);
    }
    return `${text}]`;
  }
  if (typeof value === 'number') assert(Number.isFinite(value), 'a JSON number is finite');
  return JSON.stringify(value);
}

function canonicalObject(value: { readonly [name: string]: JsonValue | undefined }): string {
  const names = Object.keys(value).sort();
  let text = '{';
  for (const name of names) {
    const member = value[name];
    if (member === undefined) continue;
    text += `${text.length === 1 ? '' : ','}${JSON.stringify(name)}:${canonicalJson(member)}`;
  }
  return `${text}}`;
}
