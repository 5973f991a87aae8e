// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import type { AvroSchema } from './avro-schema.ts';

const FOLDER = new URL('../../../../schemas/avro/', import.meta.url);

/** The envelopes of schemas/avro, in the order of their file names, so that fresh registries give the same ids. */
export function envelopeSchemas(): readonly AvroSchema[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.avsc'))
    .toSorted()
    .map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as AvroSchema);
}
