// SPDX-License-Identifier: Apache-2.0
import type { AvroSchema } from './avro-schema.ts';

/** Who knows which schema an id stands for: a registry, or a table shipped with the engine. */
export interface SchemaSource {
  /**
   * undefined only when the source itself said that there is no such id. Rejects within `deadlineMs` with
   * CLY_SCHEMA_REGISTRY_UNREACHABLE (retry: backoff) in every other case: silence is never an answer.
   */
  schemaById(schemaId: number, deadlineMs: number): Promise<AvroSchema | undefined>;
}
