// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../../canonical/json-value.ts';

/** Metrics are integers of the record grammar: a sum stops where the grammar does. */
export function added(sum: number, value: number): number {
  return Math.min(sum + value, Number.MAX_SAFE_INTEGER);
}

/** A count that a body states; what is absent or of another type counts nothing. */
export function countOf(value: JsonValue | undefined): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : 0;
}

/** The member of an object, however much of it is there. */
export function memberOf(value: unknown, ...path: readonly string[]): JsonValue | undefined {
  let at: unknown = value;
  for (const name of path) {
    if (!isJsonObject(at as JsonValue | undefined)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at as JsonValue | undefined;
}

/** Durations in milliseconds that were summed up while they went by. */
export class Durations {
  count = 0;
  #maxMs = 0;
  #sumMs = 0;

  /** A negative one is a clock's doing, and counts as none. */
  add(durationMs: number): void {
    const lengthMs = Math.max(0, durationMs);
    this.count += 1;
    this.#maxMs = Math.max(this.#maxMs, lengthMs);
    this.#sumMs = added(this.#sumMs, lengthMs);
  }

  result(): { count: number; max_ms: number; sum_ms: number } {
    return { count: this.count, max_ms: this.#maxMs, sum_ms: this.#sumMs };
  }
}
