// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { COMPATIBILITY, SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import { type AvroRecordSchema, subjectOf } from './avro-schema.ts';

export type RegistryOptions = {
  readonly url: string;
  readonly schemas: readonly AvroRecordSchema[];
  /** For each question to the registry. */
  readonly deadlineMs: number;
};

type Ids = ReadonlyMap<string, number>;

/**
 * Registers every schema with FULL_TRANSITIVE compatibility, or finds the id it has already; needs the right to write.
 * Rejects with CLY_SCHEMA_INCOMPATIBLE (never) when an earlier version could not be read any more, and with
 * CLY_SCHEMA_REGISTRY_UNREACHABLE (backoff).
 */
export function registerSchemas(options: RegistryOptions): Promise<Ids> {
  const registry = registryOf(options);
  return idsOf(options, async (schema) => {
    const compatibility = COMPATIBILITY.FULL_TRANSITIVE;
    return (await registry.register(documentOf(schema), { subject: subjectOf(schema), compatibility })).id;
  });
}

/**
 * The ids under which these very schemas are registered; asks and changes nothing. Rejects with
 * CLY_SCHEMA_UNREGISTERED (backoff: somebody may be about to register them), and with CLY_SCHEMA_REGISTRY_UNREACHABLE.
 */
export function lookUpSchemas(options: RegistryOptions): Promise<Ids> {
  const registry = registryOf(options);
  return idsOf(options, (schema) =>
    registry.getRegistryIdBySchema(subjectOf(schema), documentOf(schema)).catch((error: RegistryError) => {
      // The client turns a 404, and nothing else, into an error of its own that has no status.
      throw error.name === 'ConfluentSchemaRegistryError' ? unregistered(options, error) : error;
    }),
  );
}

async function idsOf(options: RegistryOptions, ask: (schema: AvroRecordSchema) => Promise<number>): Promise<Ids> {
  const ids = new Map<string, number>();
  for (const schema of options.schemas) {
    const id: unknown = await bounded(ask(schema), options);
    if (!Number.isSafeInteger(id)) throw unreachable(options, 'the answer has no schema id');
    ids.set(schema.name, id as number);
  }
  return ids;
}

function registryOf({ url }: RegistryOptions): SchemaRegistry {
  return new SchemaRegistry({ host: url, retry: { retries: 0 } });
}

function documentOf(schema: AvroRecordSchema): { readonly type: SchemaType.AVRO; readonly schema: string } {
  return { type: SchemaType.AVRO, schema: JSON.stringify(schema) };
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

function unregistered(options: RegistryOptions, cause: Error): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_UNREGISTERED',
    `the registry at ${options.url} has not got this version's schemas (${cause.message}): run \`clyra topics apply\``,
    { retry: 'backoff', context: { url: options.url }, cause },
  );
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
