// SPDX-License-Identifier: Apache-2.0
import type { AvroRecordSchema } from './avro-schema.ts';

/** Ids by the order of the names: for simulations and programs without a registry. */
export function fixedSchemaIds(schemas: readonly AvroRecordSchema[]): ReadonlyMap<string, number> {
  const names = schemas.map((schema) => schema.name).sort();
  return new Map(names.map((name, index) => [name, index + 1]));
}
