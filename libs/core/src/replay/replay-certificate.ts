// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeStatement, signEnvelope } from '../evidence/statement.ts';
import type { Signer } from '../ports/signer.ts';
import type { ReplayOutcome } from './replay-tally.ts';

const REPLAY_PREDICATE = 'https://clyra.dev/replay/v0';

export type ReplayedBundle = {
  readonly manifestDigest: Digest;
  readonly origin: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly engine: number;
};

export type Replay = {
  readonly kind: 'reperformance' | 'data';
  readonly bundle: ReplayedBundle;
  readonly outcome: ReplayOutcome;
  readonly performer: { readonly name: string; readonly version: string };
};

/** The replay certificate (docs/spec/statements.md §2). It has no time of its own: a second replay gives the same bytes. */
export function signReplay({ kind, bundle, outcome, performer }: Replay, signer: Signer): Promise<Uint8Array> {
  const { manifestDigest, origin, range, engine } = bundle;
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: manifestDigest,
    predicateType: REPLAY_PREDICATE,
    predicate: {
      kind,
      origin,
      range: { start: range.start, end: range.end },
      engine,
      performer: { name: performer.name, version: performer.version },
      ...(outcome as unknown as JsonObject),
    },
  });
  return signEnvelope(statement, signer);
}
