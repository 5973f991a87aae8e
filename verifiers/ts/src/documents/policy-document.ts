// SPDX-License-Identifier: Apache-2.0
import { parseJson } from '../json/parse.ts';
import { closed, list, open, optional, ShapeError, text } from '../json/shape.ts';

export const POLICY_BYTES_MAX = 16_777_216;
const GUARDED_MAX = 16_384;

/** The relations of one source that a policy guards. */
export interface GuardedSource {
  readonly source_id: string;
  readonly relations: readonly string[];
}

export const readGuarded = list(closed({ source_id: text, relations: list(text) }));
const readDocument = open({ guarded: optional(readGuarded) });

/** What reconciliation needs of a compiled policy. Throws JsonError or ShapeError. */
export function readGuardedOf(bytes: Uint8Array): readonly GuardedSource[] {
  const form = { grammar: 'any', canonical: true, bytesMax: POLICY_BYTES_MAX, depthMax: 64 } as const;
  const guarded = readDocument(parseJson(bytes, form).value, '').guarded ?? [];
  const count = guarded.reduce((sum, { relations }) => sum + relations.length, 0);
  if (count > GUARDED_MAX) {
    throw new ShapeError('guarded', `lists more than ${GUARDED_MAX} relations`);
  }
  return guarded;
}
