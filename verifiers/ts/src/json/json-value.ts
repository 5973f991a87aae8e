// SPDX-License-Identifier: Apache-2.0

/** A parsed JSON value. Objects have no prototype, so that a name from data can never reach one. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [name: string]: JsonValue;
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
