// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';

/** One change to a document: what is done, with what, and where (an index into its places, wrapped around). */
export type Mutation = {
  readonly how: 'remove' | 'replace' | 'add' | 'repeat';
  readonly at: number;
  readonly value: JsonValue;
};

/** Where a value stands: names and indices from the outermost object inwards. */
export type Place = readonly (string | number)[];

/** Every place of a document, the outermost object's own (the empty path) first. */
export function placesOf(value: JsonValue | undefined, place: Place = []): Place[] {
  const inner = isContainer(value) ? Object.entries(value) : [];
  const keyOf = (key: string): string | number => (Array.isArray(value) ? Number(key) : key);
  return [
    place,
    ...inner.flatMap(([key, member]) => placesOf(member as JsonValue | undefined, [...place, keyOf(key)])),
  ];
}

export function valueAtPlace(document: JsonValue, place: Place): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const key of place) value = isContainer(value) ? (value as Record<string | number, JsonValue>)[key] : undefined;
  return value;
}

/** A changed copy; the same document again where the mutation does not apply to its place. */
export function mutate(document: JsonObject, { how, at, value }: Mutation): JsonObject {
  const copy = structuredClone(document) as JsonObject;
  const places = placesOf(copy);
  const place = places[at % places.length] ?? [];
  const target = valueAtPlace(copy, place);
  if (how === 'add' && isJsonObject(target)) (target as Record<string, JsonValue>)['unknown_member'] = value;
  if (how === 'repeat' && Array.isArray(target) && target.length > 0) target.push(target[0] as JsonValue);
  const key = place.at(-1);
  const parent = valueAtPlace(copy, place.slice(0, -1)) as Record<string | number, JsonValue>;
  if (key === undefined) return copy;
  if (how === 'replace') parent[key] = value;
  if (how === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else delete parent[key];
  }
  return copy;
}

function isContainer(value: JsonValue | undefined): value is JsonObject | readonly JsonValue[] {
  return typeof value === 'object' && value !== null;
}
