// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { shapeError } from '../change/shape.ts';
import type { GuardedRelation } from '../reconciliation/guarded-set.ts';
import type { LedgerGrant, PendingObservation } from '../reconciliation/ledger-entry.ts';
import type { ChainHead } from './chain-tracker.ts';
import type { SourceParts } from './source-book.ts';

/** The head line of a ledger (docs/spec/journal.md §4). */
export type LedgerHead = {
  readonly chain: ChainHead;
  readonly policy: Digest | null;
  readonly trust_root: Digest;
  readonly last_decided_at: number;
  readonly last_offset: number;
  readonly last_outcome_at: number | null;
};

/** A key that a command lent to a process: judged anew by whoever reads it. */
export type LedgerDelegation = {
  readonly append_time: number;
  readonly command: JsonObject;
  readonly signatures: readonly JsonObject[];
};

/** What a reader carries from one bundle to the next. */
export type Ledger = SourceParts & {
  readonly head: LedgerHead;
  readonly runs: readonly ({ readonly run_id: string } & ChainHead)[];
  readonly guarded: readonly GuardedRelation[];
  readonly delegations: readonly LedgerDelegation[];
  readonly grants: readonly LedgerGrant[];
  readonly pending: readonly PendingObservation[];
};

type Lists = Omit<Ledger, 'head'>;

/** The kinds of lines after the head, in their order. */
const KINDS: readonly (readonly [kind: string, list: keyof Lists])[] = [
  ['run', 'runs'],
  ['guarded', 'guarded'],
  ['source', 'sources'],
  ['covered', 'covered'],
  ['blind_spot', 'blindSpots'],
  ['seen', 'seen'],
  ['delegation', 'delegations'],
  ['grant', 'grants'],
  ['pending', 'pending'],
];

const LF = Buffer.from('\n');

export function encodeLedger(ledger: Ledger): Uint8Array {
  const lines: Uint8Array[] = [];
  const put = (kind: string, entry: object): void => {
    lines.push(encodeRecord({ kind, ...entry } as JsonObject), LF);
  };
  put('head', { v: 0, ...ledger.head });
  for (const [kind, list] of KINDS) for (const entry of ledger[list]) put(kind, entry);
  return Buffer.concat(lines);
}

/** Reads a ledger that its digest vouches for. Throws JsonError or CLY_RECORD_SHAPE for bytes that are none. */
export function parseLedger(bytes: Uint8Array): Ledger {
  const [first, ...rest] = linesOf(bytes).map((line) => parseRecord(line));
  if (first?.['kind'] !== 'head' || first['v'] !== 0) throw shapeError('a ledger begins with its head');
  const { kind: _kind, v: _v, ...head } = first;
  const lists = Object.fromEntries(KINDS.map(([, list]) => [list, [] as JsonObject[]]));
  for (const { kind, ...entry } of rest) {
    const list = KINDS.find(([name]) => name === kind)?.[1];
    if (list === undefined) throw shapeError('a ledger has a line of another kind');
    lists[list]?.push(entry as JsonObject);
  }
  return { ...lists, head } as unknown as Ledger;
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from);
    if (end < 0) throw shapeError('a ledger ends with LF');
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}

/** Ascending by key, in code units: the order of every list that the ledger sorts. */
export function ascending<Value>(map: ReadonlyMap<string, Value>): (readonly [string, Value])[] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}
