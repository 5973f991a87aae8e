// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import avsc from 'avsc';

/** An Avro record schema as JSON, as in schemas/avro. */
export type AvroRecordSchema = {
  readonly type: 'record';
  readonly name: string;
  readonly namespace: string;
  readonly fields: readonly Readonly<Record<string, unknown>>[];
  readonly doc?: string;
};

/** RecordNameStrategy: the subject of a record is its full name, whatever topic it travels on. */
export function subjectOf(schema: AvroRecordSchema): string {
  return `${schema.namespace}.${schema.name}`;
}

export function avroType(schema: AvroRecordSchema): avsc.Type {
  return avsc.Type.forSchema(schema as unknown as avsc.Schema);
}

/**
 * Whether records written with `writer` can be read with `reader` (Avro specification, schema resolution). What
 * the registry's compatibility levels are made of.
 */
export function canRead(reader: avsc.Schema, writer: avsc.Schema): boolean {
  try {
    avsc.Type.forSchema(reader).createResolver(avsc.Type.forSchema(writer));
    return true;
  } catch {
    return false;
  }
}

/** Throws CLY_SCHEMA_INVALID for what is no Avro schema. Gives its canonical JSON text. */
export function checkAvroSchema(text: string): string {
  try {
    return JSON.stringify(avsc.Type.forSchema(JSON.parse(text) as avsc.Schema).schema({ exportAttrs: true }));
  } catch (cause) {
    throw new ClyraError('CLY_SCHEMA_INVALID', `this is no Avro schema: ${(cause as Error).message}`, {
      retry: 'never',
      cause,
    });
  }
}
