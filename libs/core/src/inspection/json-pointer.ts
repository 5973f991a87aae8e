// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';

/** RFC 6901 §4; undefined where the place does not exist. `-` names no element. */
export function valueAt(document: JsonValue | undefined, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(value)) {
      value = /^(?:0|[1-9][0-9]{0,9})$/.test(name) ? (value as readonly JsonValue[])[Number(name)] : undefined;
    } else {
      value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    }
  }
  return value;
}
