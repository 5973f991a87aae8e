// SPDX-License-Identifier: Apache-2.0

/** A parsed JSON value. Objects have no prototype, so that a name from data can never reach one. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [name: string]: JsonValue;
}

/** The constructor of such objects. (What Object.create(null) makes is several times slower to fill and to read.) */
export const Members: new () => JsonObject = (() => {
  function Nameless() {}
  Nameless.prototype = Object.freeze(Object.create(null));
  return Nameless as unknown as new () => JsonObject;
})();

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
