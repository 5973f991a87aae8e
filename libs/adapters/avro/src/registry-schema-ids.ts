// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { type AvroRecordSchema, subjectOf } from './avro-schema.ts';
import { schemaById } from './schema-by-id.ts';
import type { SchemaIds } from './schema-ids.ts';

export type RegistryOptions = {
  readonly url: string;
  readonly schemas: readonly AvroRecordSchema[];
  /** For each question to the registry. */
  readonly deadlineMs: number;
};

/**
 * Registers every schema with FULL_TRANSITIVE compatibility, or finds the id it has already. Rejects with
 * CLY_SCHEMA_INCOMPATIBLE (never) when an earlier version could not be read any more, and with
 * CLY_SCHEMA_REGISTRY_UNREACHABLE (backoff).
 */
export async function registrySchemaIds(options: RegistryOptions): Promise<SchemaIds> {
  const registry = new SchemaRegistry({ host: options.url, retry: { retries: 0 } });
  const idOf = new Map<string, number>();
  for (const schema of options.schemas) {
    const registered = registry.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
      { subject: subjectOf(schema), compatibility: COMPATIBILITY.FULL_TRANSITIVE },
    );
    idOf.set(schema.name, (await bounded(registered, options)).id);
  }
  return { idOf, schemaOf: (id) => schemaById(id, options) };
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

type RegistryError = Error & { readonly status?: number };

function classify(error: RegistryError, options: RegistryOptions): ClyraError {
  const refused = error.status === 409 || error.status === 422 || /compatib/i.test(error.message);
  if (refused) {
    return new ClyraError(
      'CLY_SCHEMA_INCOMPATIBLE',
      `the registry refuses the schema (${error.message}): earlier versions must stay readable`,
      { retry: 'never', cause: error },
    );
  }
  return unreachable(options, error.message, error);
}

function unreachable(options: RegistryOptions, why: string, cause?: unknown): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_REGISTRY_UNREACHABLE',
    `the schema registry at ${options.url} does not answer (${why})`,
    {
      retry: 'backoff',
      context: { url: options.url },
      cause,
    },
  );
}
