// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { JsonObject } from '../json/json-value.ts';
import { type ParsedJson, parseJson, RECORD } from '../json/parse.ts';
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
  ShapeError,
  text,
} from '../json/shape.ts';
import { readOperations } from '../ledger/ledger.ts';
import { readBlock, type SignatureBlock } from '../signature/block.ts';

const count = integer(0);

const readGrant = open({
  token_hash: text,
  source_id: text,
  relations: list(text),
  operations: readOperations,
  rows_max: count,
  expires_at: count,
});
const readInspectedUnder = open({ policy_digest: nullable(digest) });

const readDecidedBody = open({
  decision: oneOf('allow', 'block', 'hold'),
  policy_digest: nullable(digest),
  engine: anything,
});
const readReceiptBody = open({
  v: integer(0, 0),
  kind: oneOf('decided', 'recorded'),
  change_kind: text,
  receipt_id: id,
  event_id: text,
  tenant: text,
  tenant_seq: count,
  tenant_prev: digest,
  stream_id: id,
  partition: count,
  offset: count,
  previous_offset: integer(-1),
  change_digest: digest,
  decided_at: count,
  run_id: optional(text),
  seq: optional(count),
  prev: optional(digest),
  state_digest: optional(digest),
  count: optional(count),
  grants: optional(list(readGrant)),
  inspected_under: optional(readInspectedUnder),
});
const readChangeBody = open({ v: integer(0, 0), kind: text, tenant: text, event_id: text });
const readObservationBody = open({
  v: integer(0, 0),
  kind: oneOf('transaction', 'watermark', 'gap'),
  tenant: text,
  source_id: text,
  observation_id: id,
});
const readDecidedLine = closed({
  v: integer(0, 0),
  kind: oneOf('decided'),
  append_time: count,
  change: closed({ body: object, sig: readBlock }),
  receipt: closed({ body: object, sig: nullable(readBlock) }),
});
const readObservedLine = closed({
  v: integer(0, 0),
  kind: oneOf('observed'),
  append_time: count,
  observation: closed({ body: object, sig: readBlock }),
});
const readMatchedLine = closed({
  v: integer(0, 0),
  kind: oneOf('matched'),
  observation_id: id,
  leaf: count,
  status: oneOf('matched', 'exceeded', 'reused', 'unattributed', 'claimed_unproved'),
  event_id: nullable(text),
  receipt_id: nullable(id),
  token_hash: nullable(text),
  reason: text,
});

/** A body with the digest of its bytes and the block that signs it. */
export interface SignedBody<T> {
  readonly value: JsonObject;
  readonly read: T;
  readonly text: string;
  readonly digest: string;
  readonly sig: SignatureBlock | null;
}

export type ChangeBody = ReturnType<typeof readChangeBody>;
export type ReceiptBody = ReturnType<typeof readReceiptBody>;
export type Decision = ReturnType<typeof readDecidedBody>;
export type ObservationBody = ReturnType<typeof readObservationBody>;

interface At {
  /** From 1, in the file. */
  readonly line: number;
  /** From 0, in the tenant's log. */
  readonly leaf: number;
}

export interface DecidedLine extends At {
  readonly kind: 'decided';
  readonly appendTimeMs: number;
  readonly change: SignedBody<ChangeBody> & { readonly sig: SignatureBlock };
  readonly receipt: SignedBody<ReceiptBody>;
  /** Null for a `recorded` body. */
  readonly decision: Decision | null;
}

export interface ObservedLine extends At {
  readonly kind: 'observed';
  readonly appendTimeMs: number;
  readonly observation: SignedBody<ObservationBody> & { readonly sig: SignatureBlock };
}

export interface MatchedLine extends At {
  readonly kind: 'matched';
  readonly text: string;
  readonly value: JsonObject;
  readonly read: ReturnType<typeof readMatchedLine>;
}

export type JournalLine = DecidedLine | ObservedLine | MatchedLine;

/** Whether a line is a cut before which derived lines stand (bundle.md §1). */
export function isCut(line: DecidedLine): boolean {
  return line.receipt.read.state_digest !== undefined && line.receipt.read.change_kind !== 'tenant.opened';
}

/** No signature covers an append time. Where it is the decision time too, the signed body pins it; else it is loose. */
export function isLoose(line: DecidedLine): boolean {
  return line.appendTimeMs !== line.receipt.read.decided_at;
}

/** Parses one line without its LF. Throws JsonError or ShapeError. */
export function parseLine(bytes: Uint8Array, at: At): JournalLine {
  const parsed = parseJson(bytes, RECORD);
  const kind = oneOf('decided', 'observed', 'matched')(parsed.value.kind, 'kind');
  if (kind === 'decided') {
    return parseDecided(parsed, at);
  }
  if (kind === 'matched') {
    return { ...at, kind, text: parsed.text, value: parsed.value, read: readMatchedLine(parsed.value, '') };
  }
  const line = readObservedLine(parsed.value, '');
  const { body, sig } = line.observation;
  const read = readObservationBody(body, 'observation.body');
  return { ...at, kind, appendTimeMs: line.append_time, observation: { ...hashBody(parsed, body), read, sig } };
}

function parseDecided(parsed: ParsedJson, at: At): DecidedLine {
  const line = readDecidedLine(parsed.value, '');
  const receipt = readReceiptBody(line.receipt.body, 'receipt.body');
  const isSigned = receipt.kind === 'decided';
  if (isSigned !== (line.receipt.sig !== null)) {
    throw new ShapeError('receipt.sig', 'must be null for recorded bodies and only for them');
  }
  const inRun = [receipt.run_id, receipt.seq, receipt.prev].filter((member) => member !== undefined).length;
  if (inRun !== 0 && inRun !== 3) {
    throw new ShapeError('receipt.body.run_id', 'stands with seq and prev, or none of them stands');
  }
  return {
    ...at,
    kind: 'decided',
    appendTimeMs: line.append_time,
    change: {
      ...hashBody(parsed, line.change.body),
      read: readChangeBody(line.change.body, 'change.body'),
      sig: line.change.sig,
    },
    receipt: { ...hashBody(parsed, line.receipt.body), read: receipt, sig: line.receipt.sig },
    decision: isSigned ? readDecidedBody(line.receipt.body, 'receipt.body') : null,
  };
}

function hashBody(parsed: ParsedJson, value: JsonObject): { value: JsonObject; text: string; digest: string } {
  const text = parsed.textOf(value);
  return { value, text, digest: sha256Hex(text) };
}
