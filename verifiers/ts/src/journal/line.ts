// SPDX-License-Identifier: Apache-2.0

import { linkTo } from '../hash/link.ts';
import { sha256, sha256Hex } from '../hash/sha256.ts';
import type { JsonObject } from '../json/json-value.ts';
import { type ParsedJson, parseJson, RECORD } from '../json/parse.ts';
import { closed, digest, id, integer, nullable, object, oneOf, ShapeError, text } from '../json/shape.ts';
import { readBlock, type SignatureBlock } from '../signature/block.ts';
import {
  type BodyOf,
  OBSERVATIONS,
  type ObservationKind,
  readChangeBody,
  readDecision,
  readGrants,
  readObservationBody,
  readReceiptBody,
  readRunEnd,
} from './bodies.ts';
import { type LineUse, type PlainLine, readPlainLine } from './plain-line.ts';
import { isChangeBody, isDecision, isObservationBody, isReceiptBody, isTransaction } from './plain-shapes.ts';

const count = integer(0);
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
  token_hash: nullable(digest),
  reason: text,
});
const readReplacedLine = closed({ $leaf: digest });

/** A body with the block that signs it. */
export interface SignedBody<T> {
  readonly value: JsonObject;
  readonly read: T;
  readonly sig: SignatureBlock;
  /** The digest of its bytes, which stand only as long as the line is judged. */
  digest(): Buffer;
}

export type ChangeBody = ReturnType<typeof readChangeBody>;
export type ReceiptBody = ReturnType<typeof readReceiptBody>;
export type Decision = ReturnType<typeof readDecision>;
export type Grants = NonNullable<ReturnType<typeof readGrants>>;
type ObservationBody = ReturnType<typeof readObservationBody>;

const EVERYTHING: LineUse = { signatures: true, facts: true };

export interface At {
  /** From 1, in the file. */
  readonly line: number;
  /** From 0, in the tenant's log. */
  readonly leaf: number;
}

export interface DecidedLine extends At {
  readonly kind: 'decided';
  readonly appendTimeMs: number;
  readonly change: SignedBody<ChangeBody>;
  /** The digest of the change's body, as hex digits. */
  readonly changeDigest: string;
  readonly receipt: Omit<SignedBody<ReceiptBody>, 'sig'> & { readonly sig: SignatureBlock | null };
  /** What the next body of the tenant links to. */
  readonly link: string;
  /** Null for a `recorded` body. */
  readonly decision: Decision | null;
  /** Of an allowed request. */
  readonly grants: Grants;
}

/** The members of an observation that its kind asks for; null for a kind that this version does not name. */
export type Observed = { [K in ObservationKind]: { readonly of: K; readonly body: BodyOf<K> } }[ObservationKind] | null;

export interface ObservedLine extends At {
  readonly kind: 'observed';
  readonly appendTimeMs: number;
  readonly observation: SignedBody<ObservationBody>;
  readonly observed: Observed;
}

export interface MatchedLine extends At {
  readonly kind: 'matched';
  readonly value: JsonObject;
  readonly read: ReturnType<typeof readMatchedLine>;
}

/** A line of an export that gives only its leaf hash. */
export interface ReplacedLine extends At {
  readonly kind: 'replaced';
  readonly leafHash: Buffer;
}

export type JournalLine = DecidedLine | ObservedLine | MatchedLine;

/** Whether a line is a cut before which derived lines stand (journal.md §2). */
export function isCut(line: DecidedLine): boolean {
  return line.receipt.read.state_digest !== undefined && line.receipt.read.change_kind !== 'tenant.opened';
}

/** Parses one line without its LF. Throws JsonError or ShapeError. */
export function parseLine(bytes: Buffer, at: At, use: LineUse = EVERYTHING): JournalLine {
  return readPlain(bytes, at, use) ?? readLine(parseJson(bytes, RECORD), at);
}

/** Parses one line of an export, which may be replaced. */
export function parseExportLine(bytes: Buffer, at: At, use: LineUse): JournalLine | ReplacedLine {
  const plain = readPlain(bytes, at, use);
  if (plain !== null) {
    return plain;
  }
  const parsed = parseJson(bytes, RECORD);
  if (parsed.value.$leaf === undefined) {
    return readLine(parsed, at);
  }
  return { ...at, kind: 'replaced', leafHash: Buffer.from(readReplacedLine(parsed.value, '').$leaf, 'hex') };
}

/** The line, when its text and its bodies are of the form that needs no strict reader. */
function readPlain(bytes: Buffer, at: At, use: LineUse): JournalLine | null {
  const line = readPlainLine(bytes, use);
  if (line === null) {
    return null;
  }
  if (line.kind === 'decided') {
    const isJudged = use.signatures || line.receipt.value.state_digest === undefined;
    // Of a cut the signatures are judged in every mode.
    return isJudged ? plainDecided(line, bytes, at) : readPlain(bytes, at, { ...use, signatures: true });
  }
  const { value, sig, from, to } = line.observation;
  const isKnown =
    line.isTransaction || (value.kind === 'transaction' && isObservationBody(value) && isTransaction(value));
  if (!isKnown || sig === null) {
    return null;
  }
  const observation = {
    value,
    read: value as unknown as ObservationBody,
    sig,
    digest: () => sha256(bytes.subarray(from, to)),
  };
  const observed = { of: 'transaction', body: value as unknown as BodyOf<'transaction'> } as const;
  return { ...at, kind: 'observed', appendTimeMs: line.appendTimeMs, observation, observed };
}

function plainDecided(
  { appendTimeMs, change, receipt }: PlainLine & { readonly kind: 'decided' },
  bytes: Buffer,
  at: At,
): DecidedLine | null {
  const isSigned = receipt.value.kind === 'decided';
  const isShaped =
    isChangeBody(change.value) && isReceiptBody(receipt.value) && (!isSigned || isDecision(receipt.value));
  if (!isShaped || change.sig === null || isSigned !== (receipt.sig !== null)) {
    return null;
  }
  const decision = isSigned ? (receipt.value as unknown as Decision) : null;
  const read = receipt.value as unknown as ReceiptBody;
  return decidedLine(at, {
    appendTimeMs,
    decision,
    change: {
      value: change.value,
      read: change.value as unknown as ChangeBody,
      sig: change.sig,
      bytes: bytes.subarray(change.from, change.to),
    },
    receipt: { value: receipt.value, read, sig: receipt.sig, bytes: bytes.subarray(receipt.from, receipt.to) },
  });
}

function readLine(parsed: ParsedJson, at: At): JournalLine {
  const kind = oneOf('decided', 'observed', 'matched')(parsed.value.kind, 'kind');
  switch (kind) {
    case 'decided':
      return readDecided(parsed, at);
    case 'observed':
      return readObserved(parsed, at);
    case 'matched':
      return { ...at, kind, value: parsed.value, read: readMatchedLine(parsed.value, '') };
  }
}

function readObserved(parsed: ParsedJson, at: At): ObservedLine {
  const line = readObservedLine(parsed.value, '');
  const { body, sig } = line.observation;
  const read = readObservationBody(body, 'observation.body');
  const observed = readKind(read.kind, body);
  const observation = { value: body, read, sig, digest: () => sha256(parsed.bytesOf(body)) };
  return { ...at, kind: 'observed', appendTimeMs: line.append_time, observation, observed };
}

function readKind(kind: string, body: JsonObject): Observed {
  if (!Object.hasOwn(OBSERVATIONS, kind)) {
    return null;
  }
  const of = kind as ObservationKind;
  return { of, body: OBSERVATIONS[of](body, 'observation.body') } as Observed;
}

function readDecided(parsed: ParsedJson, at: At): DecidedLine {
  const line = readDecidedLine(parsed.value, '');
  const { change, receipt } = line;
  const read = readReceiptBody(receipt.body, 'receipt.body');
  const isSigned = read.kind === 'decided';
  if (isSigned !== (receipt.sig !== null)) {
    throw new ShapeError('receipt.sig', 'must be null for recorded bodies and only for them');
  }
  const inRun = [read.run_id, read.seq, read.prev].filter((member) => member !== undefined).length;
  if (inRun !== 0 && inRun !== 3) {
    throw new ShapeError('receipt.body.run_id', 'stands with seq and prev, or none of them stands');
  }
  const changeRead = readChangeBody(change.body, 'change.body');
  return decidedLine(at, {
    appendTimeMs: line.append_time,
    decision: isSigned ? readDecision(receipt.body, 'receipt.body') : null,
    change: { value: change.body, read: changeRead, sig: change.sig, bytes: parsed.bytesOf(change.body) },
    receipt: { value: receipt.body, read, sig: receipt.sig, bytes: parsed.bytesOf(receipt.body) },
  });
}

interface Part<R, S> {
  readonly value: JsonObject;
  readonly read: R;
  readonly sig: S;
  readonly bytes: Uint8Array;
}

interface DecidedParts {
  readonly appendTimeMs: number;
  readonly decision: Decision | null;
  readonly change: Part<ChangeBody, SignatureBlock>;
  readonly receipt: Part<ReceiptBody, SignatureBlock | null>;
}

function decidedLine(at: At, { appendTimeMs, decision, change, receipt }: DecidedParts): DecidedLine {
  const isAllowed = decision?.decision === 'allow';
  if (isAllowed && receipt.read.change_kind === 'run.closed') {
    readRunEnd(receipt.value, 'receipt.body');
  }
  const changeDigest = sha256Hex(change.bytes);
  return {
    line: at.line,
    leaf: at.leaf,
    kind: 'decided',
    appendTimeMs,
    change: {
      sig: change.sig,
      value: change.value,
      read: change.read,
      digest: () => Buffer.from(changeDigest, 'hex'),
    },
    changeDigest,
    receipt: { sig: receipt.sig, value: receipt.value, read: receipt.read, digest: () => sha256(receipt.bytes) },
    link: linkTo(receipt.bytes),
    decision,
    grants: isAllowed && receipt.read.change_kind === 'change.requested' ? grantsOf(receipt.value) : NO_GRANTS,
  };
}

const NO_GRANTS: Grants = [];

function grantsOf(body: JsonObject): Grants {
  return readGrants(body.grants, 'receipt.body.grants') ?? NO_GRANTS;
}
