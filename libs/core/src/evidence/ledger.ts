// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import type { GuardedSource } from '../policy/policy.ts';
import type { LedgerGrant, PendingObservation, Watermark } from '../reconciliation/ledger-entry.ts';
import type { ChainHead } from './chain-tracker.ts';

/** docs/spec/bundle.md §3: what a reader carries from one bundle to the next. */
export type Ledger = {
  readonly chain: ChainHead;
  readonly runs: readonly ({ readonly run_id: string } & ChainHead)[];
  readonly policy: Digest | null;
  readonly guarded: readonly GuardedSource[];
  readonly grants: readonly LedgerGrant[];
  readonly pending: readonly PendingObservation[];
  readonly watermarks: readonly Watermark[];
  readonly last_append_time: number;
  readonly last_offset: number;
};

/** 64 MiB: what a verifier reads at most. */
export const LEDGER_BYTES_MAX = 67_108_864;

export function encodeLedger(ledger: Ledger): Uint8Array {
  return Buffer.from(canonicalJson(ledger as unknown as JsonObject), 'utf8');
}

/** Reads a ledger that its digest vouches for. */
export function parseLedger(bytes: Uint8Array): Ledger {
  const limits = { bytesMax: LEDGER_BYTES_MAX, depthMax: 8, valuesMax: 10_000_000 };
  return parseJson(bytes, limits) as unknown as Ledger;
}

/** Ascending by key, in code units: the order of every list that the ledger sorts. */
export function ascending<Value>(map: ReadonlyMap<string, Value>): (readonly [string, Value])[] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}
