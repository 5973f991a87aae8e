// SPDX-License-Identifier: Apache-2.0
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import {
  anything,
  closed,
  digest,
  flag,
  id,
  integer,
  list,
  matching,
  nullable,
  object,
  oneOf,
  open,
  optional,
  type Reader,
  text,
} from '../json/shape.ts';

const count = integer(0);
export const OPERATIONS = ['insert', 'update', 'delete', 'truncate', 'ddl'] as const;
export const readOperations = list(oneOf(...OPERATIONS), OPERATIONS.length);
/** Two groups of upper-case hex digits (journal.md §2). */
export const readLsn = matching(/^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/, 'must be a position X/Y');

export const readRelation = open({
  schema: text,
  name: text,
  inserts: count,
  updates: count,
  deletes: count,
  truncates: count,
  ddl: optional(count),
});

const readHead = closed({
  kind: oneOf('head'),
  v: integer(0, 0),
  chain: closed({ next_seq: count, head: digest }),
  policy: nullable(digest),
  trust_root: digest,
  last_decided_at: count,
  last_offset: integer(-1),
  last_outcome_at: nullable(count),
});
const readRun = closed({ kind: oneOf('run'), run_id: text, next_seq: count, head: digest });
const readGuardedLine = closed({ kind: oneOf('guarded'), source_id: text, relation: text });
const readPosition = closed({ system_id: text, timeline: count, lsn: readLsn });
const readSource = closed({
  kind: oneOf('source'),
  source_id: text,
  registered: flag,
  watermark: nullable(closed({ lsn: text, covers_until: count })),
  newest: nullable(readPosition),
  coverage: nullable(closed({ observation_id: id, scope: text, lsn: text })),
});
const readCovered = closed({ kind: oneOf('covered'), source_id: text, relation: text });
const readBlindSpot = closed({ kind: oneOf('blind_spot'), source_id: text, code: text, relation: nullable(text) });
const readSeen = closed({ kind: oneOf('seen'), source_id: text, of: text, observation_id: id });
/** What is never dropped must not come in: a delegation says when it ends. */
const readLending: Reader<JsonObject> = (value, path) => {
  const command = object(value, path);
  open({ key: open({ valid_to: count }) })(command, path);
  return command;
};
const readDelegation = closed({
  kind: oneOf('delegation'),
  append_time: count,
  command: readLending,
  signatures: list(anything),
});
const readGrant = closed({
  kind: oneOf('grant'),
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
  kind: oneOf('pending'),
  observation_id: id,
  leaf: count,
  append_time: count,
  source_id: text,
  committed_at: count,
  relations: list(readRelation),
  token_hashes: list(text),
});

/** Readers by kind, in the order in which kinds stand. */
export const LEDGER_KINDS = {
  head: readHead,
  run: readRun,
  guarded: readGuardedLine,
  source: readSource,
  covered: readCovered,
  blind_spot: readBlindSpot,
  seen: readSeen,
  delegation: readDelegation,
  grant: readGrant,
  pending: readPending,
} as const;
export type LedgerKind = keyof typeof LEDGER_KINDS;
export type LedgerLine = ReturnType<(typeof LEDGER_KINDS)[LedgerKind]>;

export type Position = ReturnType<typeof readPosition>;
export type Relation = ReturnType<typeof readRelation>;
export type Grant = Omit<ReturnType<typeof readGrant>, 'used_by' | 'kind'> & { used_by: string | null };
export type Pending = Omit<ReturnType<typeof readPending>, 'kind'>;

/** Bytes that a value takes as a line of its kind, LF included. */
export function lineBytesOf(kind: LedgerKind, value: object): number {
  return Buffer.byteLength(encodeCanonical({ ...value, kind } as unknown as JsonValue)) + 1;
}
