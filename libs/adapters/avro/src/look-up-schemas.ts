// SPDX-License-Identifier: Apache-2.0
import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { type AvroRecordSchema, subjectOf } from './avro-schema.ts';
import { idsOf, type RegistryOptions, type SchemaIdsByName, unreachable, unregistered } from './schema-registry.ts';

const ANSWER_BYTES_MAX = 1_048_576;
const NOT_FOUND = 404;
const TYPE = 'application/vnd.schemaregistry.v1+json';

type Answer = { readonly status: number; readonly text: string };

/**
 * The ids under which these very schemas are registered; asks and changes nothing. It is all that a service wants of a
 * registry, and the client that registers takes 8 MB: so this asks by itself (POST /subjects/{subject} of Confluent's
 * REST API). Rejects with CLY_SCHEMA_UNREGISTERED (backoff: somebody may be about to register them), and with
 * CLY_SCHEMA_REGISTRY_UNREACHABLE.
 */
export function lookUpSchemas(options: RegistryOptions): Promise<SchemaIdsByName> {
  return idsOf(options, async (schema) => {
    const answer = await ask(schema, options).catch((error: Error) => {
      throw unreachable(options, error.message, error);
    });
    return idOf(answer, options);
  });
}

function idOf({ status, text }: Answer, options: RegistryOptions): unknown {
  const answer = parsed(text);
  if (status === NOT_FOUND) throw unregistered(options, String(answer?.['message'] ?? `status ${status}`));
  if (status !== 200) throw unreachable(options, `status ${status}`);
  return answer?.['id'];
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Rejects with an Error in words. The deadline holds for all of it, connecting and reading included. */
function ask(schema: AvroRecordSchema, { url, deadlineMs }: RegistryOptions): Promise<Answer> {
  const signal = AbortSignal.timeout(deadlineMs);
  const body = JSON.stringify({ schema: JSON.stringify(schema) });
  const headers = {
    accept: `${TYPE}, application/json`,
    'content-type': TYPE,
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => reject(signal.aborted ? new Error('no answer in time', { cause }) : cause);
    const answered = (response: IncomingMessage): void => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > ANSWER_BYTES_MAX) response.destroy(new Error(`more than ${ANSWER_BYTES_MAX} bytes`));
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', failed);
    };
    const target = new URL(`subjects/${encodeURIComponent(subjectOf(schema))}`, url.endsWith('/') ? url : `${url}/`);
    const send = target.protocol === 'https:' ? tlsRequest : plainRequest;
    send(target, { method: 'POST', headers, signal }, answered).on('error', failed).end(body);
  });
}
