// SPDX-License-Identifier: Apache-2.0
import type { Type } from 'avsc';
import { type AvroSchema, parseSchema } from './avro-schema.ts';

export const COMPATIBILITY_LEVELS = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type CompatibilityLevel = (typeof COMPATIBILITY_LEVELS)[number];

/** undefined when every value written with `writer` can be read with `reader`; else why not. Both must parse. */
export function readProblem(reader: AvroSchema, writer: AvroSchema): string | undefined {
  return resolveProblem(parseSchema(reader), parseSchema(writer));
}

export function canRead(reader: AvroSchema, writer: AvroSchema): boolean {
  return readProblem(reader, writer) === undefined;
}

export type CompatibilityRequest = {
  readonly level: CompatibilityLevel;
  readonly candidate: AvroSchema;
  /** The subject's versions, oldest first. The plain levels look at the newest only. */
  readonly versions: readonly AvroSchema[];
};

/** What speaks against the candidate; empty when it may be registered. */
export function compatibilityProblems({ level, candidate, versions }: CompatibilityRequest): readonly string[] {
  if (level === 'NONE') return [];
  const compared = level.endsWith('_TRANSITIVE') ? versions : versions.slice(-1);
  const candidateType = parseSchema(candidate);
  const backward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const forward = level.startsWith('FORWARD') || level.startsWith('FULL');
  return compared.map(parseSchema).flatMap((version) => {
    const back = backward ? resolveProblem(candidateType, version) : undefined;
    const forth = forward ? resolveProblem(version, candidateType) : undefined;
    return [
      ...(back === undefined ? [] : [`the new schema cannot read what an earlier one wrote: ${back}`]),
      ...(forth === undefined ? [] : [`an earlier schema cannot read what the new one writes: ${forth}`]),
    ];
  });
}

function resolveProblem(reader: Type, writer: Type): string | undefined {
  try {
    reader.createResolver(writer);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
