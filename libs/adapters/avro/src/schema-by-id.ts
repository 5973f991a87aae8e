// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type AvroRecordSchema, avroType } from './avro-schema.ts';

export type SchemaByIdRequest = {
  /** `http(s)://[user:password@]host:port[/path]` of the registry. */
  readonly url: string;
  readonly deadlineMs: number;
};

const NOT_FOUND = 404;
const SCHEMA_NOT_FOUND_CODE = 40403;
const MEDIA_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * The schema of an id. Asked directly and not through the registry's client, which hides the body of a refusal: a
 * 404 of a proxy, or a login page with status 200, must never be taken for "there is no such schema", or records
 * would be quarantined as poison for ever. Rejects with CLY_SCHEMA_UNKNOWN (never) only on the registry's own word,
 * else with CLY_SCHEMA_REGISTRY_UNREACHABLE (backoff).
 */
export async function schemaById(id: number, { url, deadlineMs }: SchemaByIdRequest): Promise<AvroRecordSchema> {
  const { address, headers } = requestTo(url, id);
  let status: number;
  let body: unknown;
  try {
    const response = await fetch(address, { headers, signal: AbortSignal.timeout(deadlineMs), redirect: 'error' });
    status = response.status;
    body = await response.json();
  } catch (cause) {
    throw unreachable(id, cause instanceof Error ? cause.message : 'no JSON', cause);
  }
  const fields = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  if (status === NOT_FOUND && fields['error_code'] === SCHEMA_NOT_FOUND_CODE) {
    throw unknown(id, 'the registry has no schema with this id');
  }
  if (status !== 200 || typeof fields['schema'] !== 'string')
    throw unreachable(id, `status ${status} without a schema`);
  return recordSchema(id, fields['schema']);
}

function requestTo(url: string, id: number): { readonly address: URL; readonly headers: Record<string, string> } {
  const address = new URL(`schemas/ids/${id}`, url.endsWith('/') ? url : `${url}/`);
  const { username, password } = address;
  // fetch refuses an address with credentials in it.
  address.username = '';
  address.password = '';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { address, headers: { accept: MEDIA_TYPE, ...(username === '' ? {} : { authorization }) } };
}

function recordSchema(id: number, text: string): AvroRecordSchema {
  try {
    const schema = JSON.parse(text) as AvroRecordSchema;
    if (avroType(schema).typeName === 'record') return schema;
  } catch {
    // Another kind of schema (JSON Schema, Protobuf): the registry did answer, so this is final too.
  }
  throw unknown(id, 'the registry has something other than an Avro record under this id');
}

function unknown(id: number, message: string): ClyraError {
  return new ClyraError('CLY_SCHEMA_UNKNOWN', `${message}: ${id}`, { retry: 'never', context: { schemaId: id } });
}

function unreachable(id: number, why: string, cause?: unknown): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_REGISTRY_UNREACHABLE',
    `the schema registry could not be asked for schema ${id} (${why}): check its address and that it runs`,
    { retry: 'backoff', context: { schemaId: id }, cause },
  );
}
