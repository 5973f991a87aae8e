// SPDX-License-Identifier: Apache-2.0
import { parseJson } from '../json/parse.ts';
import { closed, list, open, optional, text } from '../json/shape.ts';

export const POLICY_BYTES_MAX = 16_777_216;

/** The relations of one source that a policy guards. */
export interface GuardedSource {
  readonly source_id: string;
  readonly relations: readonly string[];
}

export const readGuarded = list(closed({ source_id: text, relations: list(text) }));
const readDocument = open({ guarded: optional(readGuarded) });

/** What reconciliation needs of a compiled policy. Throws JsonError or ShapeError. */
export function readGuardedOf(bytes: Uint8Array): readonly GuardedSource[] {
  const form = { grammar: 'any', canonical: true, bytesMax: POLICY_BYTES_MAX } as const;
  return readDocument(parseJson(bytes, form).value, '').guarded ?? [];
}
