// SPDX-License-Identifier: Apache-2.0
import type { AvroRecordSchema } from './avro-schema.ts';

/** Who knows which id a schema has, and which schema an id means: the registry, or a fixed table. */
export interface SchemaIds {
  /** By record name, for writing. */
  readonly idOf: ReadonlyMap<string, number>;
  /**
   * The writer's schema of an id not met before. Rejects with CLY_SCHEMA_UNKNOWN (retry: never) when there is none,
   * and with CLY_SCHEMA_REGISTRY_UNREACHABLE (retry: backoff) when nobody can say.
   */
  schemaOf(id: number): Promise<AvroRecordSchema>;
}
