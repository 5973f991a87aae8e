// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { COMPATIBILITY, SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Type } from 'avsc';
import { type AvroSchema, parseSchema } from './avro-schema.ts';
import { httpStatusOf, registryError, unreachable } from './registry-errors.ts';
import { strictAnswers } from './registry-middleware.ts';
import type { SchemaSource } from './schema-source.ts';

type ClientArgs = ConstructorParameters<typeof SchemaRegistry>[0];
/** What the client's types demand of an Avro schema: any named type. */
type RawSchema = Parameters<SchemaRegistry['getRegistryIdBySchema']>[1];

const CLIENT_ID = 'clyra';
const NOT_FOUND = 404;

/** A Confluent-compatible registry. Every question has a deadline, and only the registry's own words count as answers. */
export class RegistryClient implements SchemaSource {
  readonly #url: URL;
  readonly #auth: ClientArgs['auth'];

  /** `http(s)://[user:password@]host:port[/path]`. Throws CLY_SCHEMA_REGISTRY_URL. */
  constructor(url: string) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new ClyraError('CLY_SCHEMA_REGISTRY_URL', 'the registry address must be an http or https URL', {
        retry: 'never',
      });
    }
    this.#url = new URL(url);
    const { username, password } = this.#url;
    this.#auth =
      username === ''
        ? undefined
        : { username: decodeURIComponent(username), password: decodeURIComponent(password) };
    this.#url.username = '';
    this.#url.password = '';
  }

  async schemaById(schemaId: number, deadlineMs: number): Promise<AvroSchema | undefined> {
    try {
      const found = await this.#ask(deadlineMs, (client) => client.getSchema(schemaId));
      // The client gives the library's own type here: it was asked for Avro or has thrown.
      return (found as Type).schema() as AvroSchema;
    } catch (error) {
      if (httpStatusOf(error) === NOT_FOUND) return undefined;
      throw registryError(error, { schemaId });
    }
  }

  /** The id of exactly this schema under the subject, or undefined. Rejects as `schemaById` does. */
  async idOf(subject: string, schema: AvroSchema, deadlineMs: number): Promise<number | undefined> {
    parseSchema(schema);
    try {
      return await this.#ask(deadlineMs, (client) => client.getRegistryIdBySchema(subject, schema as RawSchema));
    } catch (error) {
      // The client turns its "not found" into an error without a status.
      if (error instanceof Error && error.name === 'ConfluentSchemaRegistryError') return undefined;
      throw registryError(error, { subject });
    }
  }

  /**
   * Registers the schema, or finds that it is, under a subject whose compatibility is FULL_TRANSITIVE; a subject
   * without a setting of its own gets that. CLY_SCHEMA_INCOMPATIBLE, CLY_SCHEMA_INVALID and
   * CLY_SCHEMA_COMPATIBILITY (the subject has another setting) are final; CLY_SCHEMA_REGISTRY_UNREACHABLE is not.
   */
  async register(subject: string, schema: AvroSchema, deadlineMs: number): Promise<number> {
    parseSchema(schema);
    try {
      const options = { subject, compatibility: COMPATIBILITY.FULL_TRANSITIVE };
      const { id } = await this.#ask(deadlineMs, (client) => client.register(schema as never, options));
      return id;
    } catch (error) {
      throw registryError(error, { subject });
    }
  }

  /** A client a question: it caches failures' neighbours and its own limits apply to all questions together. */
  async #ask<Answer>(deadlineMs: number, question: (client: SchemaRegistry) => Promise<Answer>): Promise<Answer> {
    const client = new SchemaRegistry({
      host: this.#url.href.replace(/\/$/, ''),
      clientId: CLIENT_ID,
      retry: { retries: 0 },
      middlewares: [strictAnswers(deadlineMs)],
      ...(this.#auth === undefined ? {} : { auth: this.#auth }),
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unreachable(`no answer within ${deadlineMs} ms`)), deadlineMs);
    });
    try {
      return await Promise.race([question(client), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

