// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import { jsonOf } from '../local/json-of.ts';

export type GrantPlaceEntry = {
  readonly source_id: string;
  readonly tenant: string;
  readonly database: string;
  /** Hexadecimal digits. */
  readonly key: string;
};

/** Puts the database where intake looks for places that redeem grants; an entry of the same source gives way. */
export async function addGrantPlace(path: string, entry: GrantPlaceEntry): Promise<void> {
  const known = await readIfThere(path);
  const places = known === undefined ? [] : placesOf(known, path);
  const others = places.filter((place) => !isJsonObject(place) || place['source_id'] !== entry.source_id);
  const document: JsonObject = { places: [...others, { ...entry }] };
  await writeWhole(path, `${JSON.stringify(document, undefined, 2)}\n`, 0o600);
}

function placesOf(bytes: Buffer, path: string): readonly JsonValue[] {
  const document = jsonOf(bytes, path);
  const places = isJsonObject(document) ? document['places'] : undefined;
  if (Array.isArray(places)) return places as readonly JsonValue[];
  throw new ClyraError('CLY_CLI_ARGUMENT', `${path} is not {"places": [...]}: restore it or take it away`, {
    retry: 'never',
  });
}
