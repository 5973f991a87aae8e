// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { AvroRecordSchema } from './avro-schema.ts';
import type { SchemaIds } from './schema-ids.ts';

/** Ids by the order of the names: for simulations and programs without a registry. */
export function fixedSchemaIds(schemas: readonly AvroRecordSchema[]): SchemaIds {
  const names = schemas.map((schema) => schema.name).sort();
  return {
    idOf: new Map(names.map((name, index) => [name, index + 1])),
    schemaOf: (id) =>
      Promise.reject(
        new ClyraError('CLY_SCHEMA_UNKNOWN', `schema id ${id} is not in the fixed table`, { retry: 'never' }),
      ),
  };
}
