// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { AvroRecordSchema } from './avro-schema.ts';

export type RegistryOptions = {
  readonly url: string;
  readonly schemas: readonly AvroRecordSchema[];
  /** For each question to the registry. */
  readonly deadlineMs: number;
};

export type SchemaIdsByName = ReadonlyMap<string, number>;

/** Asks for each schema in turn: a registry that is cut off half way has answered nothing. */
export async function idsOf(
  options: RegistryOptions,
  ask: (schema: AvroRecordSchema) => Promise<unknown>,
): Promise<SchemaIdsByName> {
  const ids = new Map<string, number>();
  for (const schema of options.schemas) {
    const id = await ask(schema);
    if (!Number.isSafeInteger(id)) throw unreachable(options, 'the answer has no schema id');
    ids.set(schema.name, id as number);
  }
  return ids;
}

export function incompatible(cause: Error): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_INCOMPATIBLE',
    `the registry refuses the schema (${cause.message}): earlier versions must stay readable`,
    { retry: 'never', cause },
  );
}

export function unregistered({ url }: RegistryOptions, why: string): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_UNREGISTERED',
    `the registry at ${url} has not got this version's schemas (${why}): run \`clyra topics apply\``,
    { retry: 'backoff', context: { url } },
  );
}

export function unreachable({ url }: RegistryOptions, why: string, cause?: unknown): ClyraError {
  const what = `the schema registry at ${url} does not answer (${why}): start it, or correct its address`;
  return new ClyraError('CLY_SCHEMA_REGISTRY_UNREACHABLE', what, { retry: 'backoff', context: { url }, cause });
}
