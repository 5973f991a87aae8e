// SPDX-License-Identifier: Apache-2.0
import avsc from 'avsc';

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

export type CompatibilityRequest = {
  readonly level: CompatibilityLevel;
  /** Schemas as JSON text that `checkAvroSchema` accepted. */
  readonly candidate: string;
  /** The subject's versions, oldest first. The levels without TRANSITIVE look at the newest only. */
  readonly versions: readonly string[];
};

/** What speaks against the candidate, in words; empty when it may be registered. */
export function compatibilityProblems({ level, candidate, versions }: CompatibilityRequest): readonly string[] {
  if (level === 'NONE') return [];
  const compared = level.endsWith('_TRANSITIVE') ? versions : versions.slice(-1);
  const candidateType = typeOf(candidate);
  const backward = level.startsWith('BACKWARD') || level.startsWith('FULL');
  const forward = level.startsWith('FORWARD') || level.startsWith('FULL');
  return compared.map(typeOf).flatMap((version) => {
    const back = backward ? readProblem(candidateType, version) : undefined;
    const forth = forward ? readProblem(version, candidateType) : undefined;
    return [
      ...(back === undefined ? [] : [`the new schema cannot read what an earlier one wrote: ${back}`]),
      ...(forth === undefined ? [] : [`an earlier schema cannot read what the new one writes: ${forth}`]),
    ];
  });
}

function typeOf(text: string): avsc.Type {
  return avsc.Type.forSchema(JSON.parse(text) as avsc.Schema);
}

function readProblem(reader: avsc.Type, writer: avsc.Type): string | undefined {
  try {
    reader.createResolver(writer);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
