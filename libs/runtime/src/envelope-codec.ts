// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { AvroCodec } from '@clyra/adapter-avro/avro-codec';
import type { AvroRecordSchema } from '@clyra/adapter-avro/avro-schema';
import { fixedSchemaIds } from '@clyra/adapter-avro/fixed-schema-ids';
import { registrySchemaIds } from '@clyra/adapter-avro/registry-schema-ids';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';

const FOLDER = new URL('../../../schemas/avro/', import.meta.url);

/** The schemas of all envelopes, as this version ships them. */
export function shippedSchemas(): readonly AvroRecordSchema[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.avsc'));
  return files.sort().map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as AvroRecordSchema);
}

/** Registers the shipped schemas, or finds their ids. Rejects as `registrySchemaIds` does. */
export async function registryCodec(options: {
  readonly url: string;
  readonly deadlineMs: number;
}): Promise<EnvelopeCodec> {
  const schemas = shippedSchemas();
  return new AvroCodec(schemas, await registrySchemaIds({ ...options, schemas }));
}

/** No registry, fixed ids: for simulations. */
export function offlineCodec(): EnvelopeCodec {
  const schemas = shippedSchemas();
  return new AvroCodec(schemas, fixedSchemaIds(schemas));
}
