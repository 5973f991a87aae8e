// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import avsc, { type Type } from 'avsc';

/** A schema as JSON, as it lies in a file or comes from a registry. */
export type AvroSchema = string | readonly unknown[] | { readonly [attribute: string]: unknown };

/** Rejects with CLY_SCHEMA_INVALID what is no Avro schema, including a default that does not fit its field. */
export function parseSchema(schema: AvroSchema): Type {
  try {
    // A copy, since the library writes into what it is given.
    return avsc.Type.forSchema(structuredClone(schema) as avsc.Schema);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new ClyraError('CLY_SCHEMA_INVALID', `this is no Avro schema (${said}): correct it before it is used`, {
      retry: 'never',
      cause,
    });
  }
}

/** The full name of a record schema. Rejects with CLY_SCHEMA_INVALID any other type. */
export function recordNameOf(type: Type): string {
  if (type.typeName === 'record' && type.name !== undefined) return type.name;
  throw new ClyraError('CLY_SCHEMA_INVALID', `a ${type.typeName} stands where a named record must`, { retry: 'never' });
}
