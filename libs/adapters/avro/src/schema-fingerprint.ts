// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { assert } from '@clyra/core/kernel/assert';
import { type AvroRecordSchema, avroType } from './avro-schema.ts';

/** Every envelope begins with it, so that its bytes alone say by which schema they were written. */
export const FINGERPRINT_FIELD = 'schema_fingerprint';
export const FINGERPRINT_SIZE = 8;

/** The first 8 bytes of the SHA-256 of the schema's Parsing Canonical Form (Avro specification): defaults and texts are not in it. */
export function fingerprintOf(schema: AvroRecordSchema): Buffer {
  const canonical = JSON.stringify(avroType(schema).schema());
  return createHash('sha256').update(canonical, 'utf8').digest().subarray(0, FINGERPRINT_SIZE);
}

/** The record behind its fingerprint: what a fixed first field leaves once it has been read. */
export function behindFingerprint(schema: AvroRecordSchema): AvroRecordSchema {
  const [first, ...fields] = schema.fields;
  const type = first?.['type'] as { type?: unknown; size?: unknown } | undefined;
  const isOurs = first?.['name'] === FINGERPRINT_FIELD && type?.type === 'fixed' && type.size === FINGERPRINT_SIZE;
  assert(isOurs, `${schema.name} begins with ${FINGERPRINT_FIELD}, fixed, ${FINGERPRINT_SIZE} bytes`);
  return { ...schema, fields };
}
