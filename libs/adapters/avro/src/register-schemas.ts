// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { subjectOf } from './avro-schema.ts';
import { idsOf, incompatible, type RegistryOptions, type SchemaIdsByName, unreachable } from './schema-registry.ts';

type RegistryError = Error & { readonly status?: number };

/**
 * Registers every schema with FULL_TRANSITIVE compatibility, or finds the id it has already; needs the right to write.
 * Rejects with CLY_SCHEMA_INCOMPATIBLE (never) when an earlier version could not be read any more, and with
 * CLY_SCHEMA_REGISTRY_UNREACHABLE (backoff).
 */
export function registerSchemas(options: RegistryOptions): Promise<SchemaIdsByName> {
  const registry = new SchemaRegistry({ host: options.url, retry: { retries: 0 } });
  const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
  return idsOf(options, async (schema) => {
    const document = { type: SchemaType.AVRO, schema: JSON.stringify(schema) } as const;
    const registered = registry.register(document, { subject: subjectOf(schema), compatibility });
    return (await bounded(registered, options)).id;
  });
}

/** Bounds a question in time and tells "no" from "nobody answers". */
async function bounded<T>(question: Promise<T>, options: RegistryOptions): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unreachable(options, 'no answer in time')), options.deadlineMs);
  });
  try {
    return await Promise.race([question, late]);
  } catch (error) {
    throw error instanceof ClyraError ? error : classify(error as RegistryError, options);
  } finally {
    clearTimeout(timer);
  }
}

function classify(error: RegistryError, options: RegistryOptions): ClyraError {
  const refused = error.status === 409 || error.status === 422 || /compatib/i.test(error.message);
  return refused ? incompatible(error) : unreachable(options, error.message, error);
}
