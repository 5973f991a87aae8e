// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import type { RelationName } from './sql-identifier.ts';

/** The prefix under which the event triggers of integrations/postgres announce a change of the schema. */
export const DDL_PREFIX = 'clyra.ddl';

export type DdlMessage = {
  /** PostgreSQL's command tag, such as `ALTER TABLE`. */
  readonly tag: string;
  /** The relations that the command made, changed or dropped; an index, a trigger or a policy counts for its table. */
  readonly relations: readonly RelationName[];
};

/** One message is one command; a larger one, or one with more relations, is counted and digested unread. */
const LIMITS = { bytesMax: 262_144, depthMax: 8, valuesMax: 20_000 };
const TAG = /^[A-Z][A-Z ]{0,62}$/;
const NAME_CHARACTERS_MAX = 63;

/**
 * Reads what any session of the source could have written: undefined for everything that is not of the shape
 * `{"tag", "objects": [{"schema", "name"}]}`. Members beyond these belong to the digest alone.
 */
export function parseDdlMessage(content: Uint8Array): DdlMessage | undefined {
  const body = objectOf(content);
  const tag = body?.['tag'];
  const objects = body?.['objects'];
  if (typeof tag !== 'string' || !TAG.test(tag) || !Array.isArray(objects)) return undefined;
  const relations: RelationName[] = [];
  for (const object of objects as readonly JsonValue[]) {
    if (!isJsonObject(object)) return undefined;
    const { schema, name } = object;
    // An object that belongs to no relation (a function, a role's grant) has neither.
    if (schema === null || name === null || schema === undefined || name === undefined) continue;
    if (!isName(schema) || !isName(name)) return undefined;
    relations.push({ schema, name });
  }
  return { tag, relations };
}

function objectOf(content: Uint8Array): JsonObject | undefined {
  try {
    const value = parseJson(content, LIMITS);
    return isJsonObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}

function isName(value: JsonValue): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= NAME_CHARACTERS_MAX && !value.includes('\0');
}
