// SPDX-License-Identifier: Apache-2.0
import { type GuardedSource, readGuarded } from '../documents/policy-document.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { parseJson } from '../json/parse.ts';
import {
  anything,
  closed,
  digest,
  id,
  integer,
  list,
  nullable,
  object,
  oneOf,
  open,
  optional,
  text,
} from '../json/shape.ts';

export const LEDGER_BYTES_MAX = 67_108_864;

const count = integer(0);
export const OPERATIONS = ['insert', 'update', 'delete', 'truncate', 'ddl'] as const;
export const readOperations = list(oneOf(...OPERATIONS), OPERATIONS.length);

const readGrant = closed({
  token_hash: text,
  event_id: text,
  receipt_id: id,
  source_id: text,
  relations: list(text),
  operations: readOperations,
  rows_max: count,
  not_before: count,
  expires_at: count,
  used_by: nullable(text),
});
const readPending = closed({
  observation_id: id,
  leaf: count,
  append_time: count,
  source_id: text,
  committed_at: count,
  relations: list(object),
  token_hashes: list(text),
});
const readWatermark = closed({ source_id: text, lsn: anything, covers_until: count });
const readRun = closed({ run_id: text, next_seq: count, head: digest });
const readLedger = closed({
  chain: closed({ next_seq: count, head: digest }),
  runs: list(readRun),
  policy: nullable(digest),
  guarded: readGuarded,
  grants: list(readGrant),
  pending: list(readPending),
  watermarks: list(readWatermark),
  last_append_time: count,
  last_offset: integer(-1),
});

export const readRelation = open({
  schema: text,
  name: text,
  inserts: count,
  updates: count,
  deletes: count,
  truncates: count,
  // A body without schema changes has no such member (records.md §6).
  ddl: optional(integer(1)),
});

export type Grant = Omit<ReturnType<typeof readGrant>, 'used_by'> & { used_by: string | null };
export type Pending = ReturnType<typeof readPending>;
export type Watermark = ReturnType<typeof readWatermark>;
export interface RunHead {
  nextSeq: number;
  head: string;
}

/** What a reader carries from one bundle to the next (bundle.md §3). Changed in place by the fold. */
export class Ledger {
  nextSeq = 0;
  head: string;
  policy: string | null = null;
  guarded: readonly GuardedSource[] = [];
  readonly runs: Map<string, RunHead> = new Map();
  readonly grants: Map<string, Grant> = new Map();
  readonly watermarks: Map<string, Watermark> = new Map();
  pending: Pending[] = [];
  lastAppendTimeMs = 0;
  lastOffset = -1;

  /** The empty ledger of a tenant. */
  constructor(streamId: string, tenant: string) {
    this.head = sha256Hex(`clyra/tenant/v0\n${streamId}\n${tenant}`);
  }

  /** The canonical bytes, as text. */
  encode(): string {
    return encodeCanonical({
      chain: { next_seq: this.nextSeq, head: this.head },
      runs: sorted(this.runs).map(([runId, run]) => ({ run_id: runId, next_seq: run.nextSeq, head: run.head })),
      policy: this.policy,
      guarded: this.guarded as unknown as JsonValue,
      grants: sorted(this.grants).map(([, grant]) => grant as unknown as JsonObject),
      pending: this.pending as unknown as JsonValue,
      watermarks: sorted(this.watermarks).map(([, watermark]) => watermark as unknown as JsonObject),
      last_append_time: this.lastAppendTimeMs,
      last_offset: this.lastOffset,
    });
  }
}

/** Parses a ledger artifact. Throws JsonError or ShapeError. */
export function parseLedger(bytes: Uint8Array): Ledger {
  const form = { grammar: 'record', canonical: true, bytesMax: LEDGER_BYTES_MAX } as const;
  const read = readLedger(parseJson(bytes, form).value, '');
  const ledger = new Ledger('', '');
  ledger.nextSeq = read.chain.next_seq;
  ledger.head = read.chain.head;
  ledger.policy = read.policy;
  ledger.guarded = read.guarded;
  ledger.pending = [...read.pending];
  for (const [index, pending] of read.pending.entries()) {
    list(readRelation)([...pending.relations], `pending[${index}].relations`);
  }
  ledger.lastAppendTimeMs = read.last_append_time;
  ledger.lastOffset = read.last_offset;
  for (const run of read.runs) {
    ledger.runs.set(run.run_id, { nextSeq: run.next_seq, head: run.head });
  }
  for (const grant of read.grants) {
    ledger.grants.set(grant.token_hash, { ...grant });
  }
  for (const watermark of read.watermarks) {
    ledger.watermarks.set(watermark.source_id, watermark);
  }
  return ledger;
}

function sorted<T>(map: ReadonlyMap<string, T>): (readonly [string, T])[] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}
