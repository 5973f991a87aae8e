// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { AvroCodec } from '@clyra/adapter-avro/avro-codec';
import type { AvroRecordSchema } from '@clyra/adapter-avro/avro-schema';
import { fixedSchemaIds } from '@clyra/adapter-avro/fixed-schema-ids';
import { lookUpSchemas } from '@clyra/adapter-avro/look-up-schemas';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';

const SCHEMAS = new URL('../../../schemas/avro/', import.meta.url);

/** The envelopes that this version ships, in the order of their file names: fresh registries give them the same ids. */
export function shippedSchemas(): readonly AvroRecordSchema[] {
  return readdirSync(SCHEMAS)
    .filter((name) => name.endsWith('.avsc'))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(new URL(name, SCHEMAS), 'utf8')) as AvroRecordSchema);
}

export type RegistryCodecOptions = {
  readonly url: string;
  /** For each question to the registry. */
  readonly deadlineMs: number;
};

/** The codec of a service: looks up the ids that `registerShippedSchemas` gave. Rejects as `lookUpSchemas` does. */
export async function registryCodec(options: RegistryCodecOptions): Promise<EnvelopeCodec> {
  const schemas = shippedSchemas();
  return new AvroCodec({ schemas, idOf: await lookUpSchemas({ ...options, schemas }) });
}

/** Real Avro under fixed ids, without a registry: for simulations and tests. */
export function offlineCodec(): EnvelopeCodec {
  const schemas = shippedSchemas();
  return new AvroCodec({ schemas, idOf: fixedSchemaIds(schemas) });
}
