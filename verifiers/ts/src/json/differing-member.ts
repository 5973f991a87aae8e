// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from './encode.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

/** The first member that differs, or null. */
export function differingMember(expected: JsonObject, actual: JsonObject): string | null {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  for (const name of names) {
    if (encodeOptional(expected[name]) !== encodeOptional(actual[name])) {
      return name;
    }
  }
  return null;
}

function encodeOptional(value: JsonValue | undefined): string {
  return value === undefined ? '' : encodeCanonical(value);
}
