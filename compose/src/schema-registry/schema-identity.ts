// SPDX-License-Identifier: Apache-2.0
import { checkAvroSchema } from '@clyra/adapter-avro/avro-schema';
import { refusals } from './registry-refusal.ts';

export type PlainSchema = {
  /** The schema as it was given, without white space between members: documentation stays. */
  readonly text: string;
  /** Equal for two texts that differ in white space or the order of attributes only. */
  readonly identity: string;
};

/** Rejects with 42201 what is no Avro schema. */
export function plainSchema(given: string): PlainSchema {
  try {
    checkAvroSchema(given);
  } catch (error) {
    throw refusals.invalidSchema(error instanceof Error ? error.message : String(error));
  }
  const json: unknown = JSON.parse(given);
  return { text: JSON.stringify(json), identity: schemaIdentity(given) };
}

export function schemaIdentity(text: string): string {
  return JSON.stringify(JSON.parse(text), (_name, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
