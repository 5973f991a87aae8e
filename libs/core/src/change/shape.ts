// SPDX-License-Identifier: Apache-2.0
import { DIGEST } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { ClyraError } from '../kernel/error.ts';

/** Readers for members of hostile records. Every one throws CLY_RECORD_SHAPE that names the member, never its value. */
export function shapeError(what: string): ClyraError {
  return new ClyraError('CLY_RECORD_SHAPE', `record: ${what}`, { retry: 'never' });
}

export function onlyMembers(object: JsonObject, allowed: ReadonlySet<string>): void {
  for (const name of Object.keys(object)) if (!allowed.has(name)) throw shapeError(`unknown member ${name}`);
}

export function readObject(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  if (!isJsonObject(value)) throw shapeError(`${name} is not an object`);
  return value;
}

export function readList(object: JsonObject, name: string, countMax: number): readonly JsonValue[] {
  const value = object[name];
  if (!Array.isArray(value) || value.length > countMax)
    throw shapeError(`${name} is not a list of at most ${countMax}`);
  return value as readonly JsonValue[];
}

export function readText(object: JsonObject, name: string, pattern: RegExp): string {
  const value = object[name];
  if (typeof value !== 'string' || !pattern.test(value)) throw shapeError(`${name} is not a text of the right form`);
  return value;
}

export function readInteger(object: JsonObject, name: string, minimum = 0): number {
  const value = object[name];
  if (!Number.isSafeInteger(value) || (value as number) < minimum) throw shapeError(`${name} is not an integer`);
  return value as number;
}

export function readDigest(object: JsonObject, name: string): string {
  return readText(object, name, DIGEST);
}

export const TENANT = /^[a-z0-9][a-z0-9-]{0,62}$/;
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Ids that people choose: actors, routes, runs, sources, principals. */
export const ID = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/;
export const STREAM_ID = /^[0-9a-f]{32}$/;
export const METHOD = /^[A-Z]{3,10}$/;
export const SHORT_TEXT = /^[^\u0000-\u001f\u007f]{0,256}$/;
