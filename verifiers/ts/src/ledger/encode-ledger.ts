// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonValue } from '../json/json-value.ts';
import type { Ledger } from './ledger.ts';

/** The digest of a ledger's artifact (journal.md §4), made line by line. */
export function digestLedger(ledger: Ledger): string {
  const hash = createHash('sha256');
  for (const line of ledgerLines(ledger)) {
    hash.update(`${encodeCanonical(line as JsonValue)}\n`);
  }
  return hash.digest('hex');
}

function* ledgerLines(ledger: Ledger): Generator<object> {
  yield {
    kind: 'head',
    v: 0,
    chain: { next_seq: ledger.nextSeq, head: ledger.head },
    policy: ledger.policy,
    trust_root: ledger.trustRoot,
    last_decided_at: ledger.lastDecidedAtMs,
    last_offset: ledger.lastOffset,
    last_outcome_at: ledger.lastOutcomeAtMs,
  };
  for (const [runId, { nextSeq, head }] of byKey(ledger.runs)) {
    yield { kind: 'run', run_id: runId, next_seq: nextSeq, head };
  }
  yield* guardedLines(ledger);
  yield* sourceLines(ledger);
  for (const [key, observationId] of [...ledger.seen].sort(bySourceAndKind)) {
    const [sourceId, of] = splitSeen(key);
    yield { kind: 'seen', source_id: sourceId, of, observation_id: observationId };
  }
  for (const delegation of ledger.delegations) {
    yield { kind: 'delegation', ...delegation };
  }
  for (const [, grant] of byKey(ledger.grants)) {
    yield { kind: 'grant', ...grant };
  }
  for (const pending of ledger.pending) {
    yield { kind: 'pending', ...pending };
  }
}

function* guardedLines(ledger: Ledger): Generator<object> {
  for (const [sourceId, relations] of byKey(ledger.guarded)) {
    for (const relation of [...relations].sort()) {
      yield { kind: 'guarded', source_id: sourceId, relation };
    }
  }
}

function* sourceLines(ledger: Ledger): Generator<object> {
  const sources = byKey(ledger.sources);
  for (const [sourceId, { registered, watermark, newest, coverage }] of sources) {
    yield { kind: 'source', source_id: sourceId, registered, watermark, newest, coverage };
  }
  for (const [sourceId, { covered }] of sources) {
    for (const relation of covered) {
      yield { kind: 'covered', source_id: sourceId, relation };
    }
  }
  for (const [sourceId, { blindSpots }] of sources) {
    for (const { code, relation } of blindSpots) {
      yield { kind: 'blind_spot', source_id: sourceId, code, relation };
    }
  }
}

function byKey<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}

function splitSeen(key: string): readonly [string, string] {
  const at = key.lastIndexOf('\n');
  return [key.slice(0, at), key.slice(at + 1)];
}

function bySourceAndKind([left]: readonly [string, string], [right]: readonly [string, string]): number {
  const [leftSource, leftKind] = splitSeen(left);
  const [rightSource, rightKind] = splitSeen(right);
  if (leftSource !== rightSource) {
    return leftSource < rightSource ? -1 : 1;
  }
  return leftKind < rightKind ? -1 : 1;
}
