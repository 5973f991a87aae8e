// SPDX-License-Identifier: Apache-2.0
import { assert } from '../kernel/assert.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

/**
 * RFC 8785 text of a JSON value: members ascending by UTF-16 code units, ECMAScript numbers, minimal escapes.
 * The caller vouches for the value (parsed by parseJson, or built in code): no undefined in arrays, no NaN.
 * Members that are undefined are left out.
 */
export function canonicalJson(value: JsonValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      assert(Number.isFinite(value), 'a JSON number is finite');
      // -0 is written 0, as ECMAScript does.
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value as JsonObject);
  }
}

function canonicalArray(items: readonly JsonValue[]): string {
  let text = '[';
  for (let index = 0; index < items.length; index += 1) {
    if (index > 0) text += ',';
    text += canonicalJson(items[index] as JsonValue);
  }
  return `${text}]`;
}

function canonicalObject(value: JsonObject): string {
  let text = '{';
  for (const name of sortedNames(value)) {
    const member = value[name];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(name)}:`;
    text += canonicalJson(member);
  }
  return `${text}}`;
}

const FEW_NAMES_MAX = 64;

/** RFC 8785 §3.2.3 order. Most objects come in order, or nearly so; looking is cheaper than sorting. */
export function sortedNames(object: JsonObject): string[] {
  const names = Object.keys(object);
  if (names.length > FEW_NAMES_MAX) return names.sort();
  for (let index = 1; index < names.length; index += 1) {
    const name = names[index] as string;
    if ((names[index - 1] as string) > name) moveDown(names, name, index);
  }
  return names;
}

/** Puts the name that stands at `from` where it belongs among the sorted ones before it. */
function moveDown(names: string[], name: string, from: number): void {
  let [low, high] = [0, from];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  for (let at = from; at > low; at -= 1) names[at] = names[at - 1] as string;
  names[low] = name;
}
