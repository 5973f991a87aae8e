// SPDX-License-Identifier: Apache-2.0
import { RegistryRefusal, refusals } from './registry-refusal.ts';

export type Query = Readonly<Record<string, string | string[] | undefined>>;

export function isSet(query: unknown, name: string): boolean {
  return (query as Query)[name] === 'true';
}

/** The schema text of a request body. Rejects with 42201: this registry serves Avro without references only. */
export function schemaFrom(body: unknown): string {
  const { schema, schemaType, references } = fieldsOf(body);
  if (schemaType !== undefined && schemaType !== 'AVRO') throw refusals.invalidSchema('this registry serves AVRO only');
  if (Array.isArray(references) && references.length > 0) {
    throw refusals.invalidSchema('this registry does not resolve references: write the types into the schema');
  }
  if (typeof schema !== 'string') throw refusals.invalidSchema('the body has no text "schema"');
  return schema;
}

export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null) throw new RegistryRefusal(400, 'the body must be a JSON object');
  return body as Readonly<Record<string, unknown>>;
}

export function upperCaseText(value: unknown): string {
  return typeof value === 'string' ? value.toUpperCase() : '';
}
