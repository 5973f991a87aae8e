// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import { AvroCodec } from './avro-codec.ts';
import { type AvroSchema, parseSchema, recordNameOf } from './avro-schema.ts';
import { RegistryClient } from './registry-client.ts';
import { unreachable } from './registry-errors.ts';

const RETRY_EVERY_MS = 250;

export type RegistryRequest = {
  readonly schemas: readonly AvroSchema[];
  readonly registryUrl: string;
  /** For all of them together. */
  readonly deadlineMs: number;
};

/** Schema ids by full record name, which is also the subject (RecordNameStrategy). */
export type SchemaIds = ReadonlyMap<string, number>;

/**
 * Registers what is missing under FULL_TRANSITIVE and returns every id; repeating it changes nothing. A registry
 * that is still coming up is asked again until the deadline. Rejects as `RegistryClient.register` does.
 */
export function registerAll(request: RegistryRequest): Promise<SchemaIds> {
  const client = new RegistryClient(request.registryUrl);
  return idsWithin(request, ({ subject, schema, deadlineMs }) => client.register(subject, schema, deadlineMs));
}

/** For programs without the right to write: CLY_SCHEMA_NOT_REGISTERED (retry: backoff) names what is missing. */
export function lookUpAll(request: RegistryRequest): Promise<SchemaIds> {
  const client = new RegistryClient(request.registryUrl);
  return idsWithin(request, async ({ subject, schema, deadlineMs }) => {
    const id = await client.idOf(subject, schema, deadlineMs);
    if (id !== undefined) return id;
    throw new ClyraError(
      'CLY_SCHEMA_NOT_REGISTERED',
      `${subject} is not registered as this program ships it: run the registration of this version first`,
      { retry: 'backoff', context: { subject } },
    );
  });
}

export type ConnectRequest = RegistryRequest & {
  /** `register` needs the right to write and is what the local stack does. Default: `look-up`. */
  readonly ids?: 'register' | 'look-up';
  readonly lookupDeadlineMs?: number;
};

/** A codec whose ids come from the registry, which is also asked for ids of other writers later. */
export async function connectAvroCodec(request: ConnectRequest): Promise<AvroCodec> {
  const ids = await (request.ids === 'register' ? registerAll(request) : lookUpAll(request));
  const { lookupDeadlineMs } = request;
  return new AvroCodec({
    schemas: request.schemas,
    ids,
    source: new RegistryClient(request.registryUrl),
    ...(lookupDeadlineMs === undefined ? {} : { lookupDeadlineMs }),
  });
}

type IdQuestion = { readonly subject: string; readonly schema: AvroSchema; readonly deadlineMs: number };

async function idsWithin(request: RegistryRequest, ask: (question: IdQuestion) => Promise<number>): Promise<SchemaIds> {
  const until = performance.now() + request.deadlineMs;
  const ids = new Map<string, number>();
  for (const schema of request.schemas) {
    const subject = recordNameOf(parseSchema(schema));
    ids.set(subject, await askUntil(until, (deadlineMs) => ask({ subject, schema, deadlineMs })));
  }
  return ids;
}

async function askUntil(until: number, ask: (deadlineMs: number) => Promise<number>): Promise<number> {
  for (;;) {
    const remainingMs = Math.ceil(until - performance.now());
    if (remainingMs <= 0) throw unreachable('the deadline passed');
    try {
      return await ask(remainingMs);
    } catch (error) {
      const again = error instanceof ClyraError && error.code === 'CLY_SCHEMA_REGISTRY_UNREACHABLE';
      if (!again || performance.now() + RETRY_EVERY_MS >= until) throw error;
      await pause(RETRY_EVERY_MS);
    }
  }
}
