// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { ID, readDigest, readInteger, readList, readText, SHORT_TEXT, shapeError, TENANT } from '../change/shape.ts';
import type { RelationEffect } from '../reconciliation/ledger-entry.ts';

/** docs/spec/records.md §6: the members of an observation that the journal's fold reads. */
type Common<Kind extends string> = {
  readonly v: 0;
  readonly kind: Kind;
  readonly tenant: string;
  readonly source_id: string;
  readonly observation_id: string;
};

export type TransactionBody = Common<'transaction'> & {
  /** Milliseconds, the source's clock. */
  readonly committed_at: number;
  readonly system_id: string;
  readonly timeline: number;
  /** PostgreSQL's text of a 64-bit position: `16/B374D848`. */
  readonly commit_end_lsn: string;
  readonly relations: readonly (RelationEffect & { readonly rows_digest: Digest })[];
  readonly token_hashes: readonly Digest[];
};

export type WatermarkBody = Common<'watermark'> & { readonly lsn: string; readonly covers_until: number };

export type GapBody = Common<'gap'> & { readonly from_lsn: string; readonly to_lsn: string; readonly reason: string };

/** What a source can show from a position on. */
export type CoverageBody = Common<'coverage'> & {
  readonly system_id: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly scope: 'all' | 'listed';
  /** `schema.name`, ascending; empty where the scope is `all`. */
  readonly relations: readonly string[];
  readonly blind_spots: readonly { readonly code: string; readonly relation?: string }[];
};

/** A time during which a part of the firewall did not do its work. Times in milliseconds. */
export type OutageBody = Common<'outage'> & {
  readonly component: string;
  readonly failed_at: number;
  readonly detected_at: number;
  readonly restored_at: number;
  readonly cause: string;
  readonly changes_refused: number;
};

export type AccessedBody = Common<'accessed'> & {
  readonly actor: string;
  readonly action: 'read' | 'export' | 'disclose' | 'redact';
  readonly range: { readonly start: number; readonly end: number };
  readonly manifest: Digest;
  readonly at: number;
};

/** A document that belongs to the log by its digest. */
export type DocumentBody = Common<'document'> & {
  readonly document: string;
  readonly sha256: Digest;
  readonly size: number;
  readonly media_type: string;
  readonly event_id?: string;
  readonly run_id?: string;
};

export type ObservationBody =
  | TransactionBody
  | WatermarkBody
  | GapBody
  | CoverageBody
  | OutageBody
  | AccessedBody
  | DocumentBody;

export type ObservationKind = ObservationBody['kind'];

const OBSERVATION_ID = /^[0-9a-f]{32}$/;
const LSN = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/;
const NAME = /^[a-z][a-z0-9_]{0,63}$/;
const ACTION = /^(?:read|export|disclose|redact)$/;
const SCOPE = /^(?:all|listed)$/;
const RELATION = /^[^\u0000-\u001f\u007f]{1,512}$/;
const LIST_COUNT_MAX = 65_535;
const COVERED_COUNT_MAX = 512;
const BLIND_SPOT_COUNT_MAX = 64;

/** Reads hostile bytes. Throws JsonError or CLY_RECORD_SHAPE: such an observation enters no tenant's log. */
export function parseObservation(bytes: Uint8Array): ObservationBody {
  return readObservation(parseRecord(bytes));
}

export function readObservation(record: JsonObject): ObservationBody {
  if (record['v'] !== 0) throw shapeError('v is not 0');
  readText(record, 'tenant', TENANT);
  readText(record, 'source_id', ID);
  readText(record, 'observation_id', OBSERVATION_ID);
  const { kind } = record;
  const check = typeof kind === 'string' ? CHECKS.get(kind as ObservationKind) : undefined;
  if (check === undefined) throw shapeError('kind is not an observation');
  check(record);
  return record as unknown as ObservationBody;
}

const CHECKS: ReadonlyMap<ObservationKind, (record: JsonObject) => void> = new Map([
  ['transaction', checkTransaction],
  ['watermark', checkWatermark],
  ['gap', checkGap],
  ['coverage', ofOwnId(checkCoverage)],
  ['outage', ofOwnId(checkOutage)],
  ['accessed', ofOwnId(checkAccessed)],
  ['document', ofOwnId(checkDocument)],
]);

/** The id of an observation that has no position of its own: it follows from what it says. */
export function contentId(body: Omit<JsonObject, 'observation_id'>): string {
  const { observation_id: _, ...rest } = body as JsonObject;
  return digestOf(encodeRecord(rest)).slice(0, 32);
}

function ofOwnId(check: (record: JsonObject) => void): (record: JsonObject) => void {
  return (record) => {
    check(record);
    if (record['observation_id'] !== contentId(record))
      throw shapeError('observation_id does not follow from the body');
  };
}

function checkTransaction(record: JsonObject): void {
  readInteger(record, 'committed_at');
  readText(record, 'system_id', SHORT_TEXT);
  readInteger(record, 'timeline');
  readText(record, 'commit_end_lsn', LSN);
  for (const relation of readList(record, 'relations', LIST_COUNT_MAX)) checkRelation(relation);
  for (const token of readList(record, 'token_hashes', LIST_COUNT_MAX)) checkToken(token);
}

function checkWatermark(record: JsonObject): void {
  readText(record, 'lsn', SHORT_TEXT);
  readInteger(record, 'covers_until');
}

function checkGap(record: JsonObject): void {
  for (const name of ['from_lsn', 'to_lsn', 'reason']) readText(record, name, SHORT_TEXT);
}

function checkCoverage(record: JsonObject): void {
  for (const name of ['system_id', 'lsn']) readText(record, name, SHORT_TEXT);
  readInteger(record, 'timeline');
  const scope = readText(record, 'scope', SCOPE);
  const relations = readList(record, 'relations', COVERED_COUNT_MAX);
  const isRising = relations.every(
    (name, index) =>
      typeof name === 'string' && RELATION.test(name) && (index === 0 || (relations[index - 1] as string) < name),
  );
  if (!isRising || (scope === 'all' && relations.length > 0)) throw shapeError('relations are not as their scope says');
  for (const spot of readList(record, 'blind_spots', BLIND_SPOT_COUNT_MAX)) {
    if (!isJsonObject(spot)) throw shapeError('a blind spot is not an object');
    readText(spot, 'code', NAME);
    if (spot['relation'] !== undefined) readText(spot, 'relation', RELATION);
  }
}

function checkOutage(record: JsonObject): void {
  for (const name of ['component', 'cause']) readText(record, name, SHORT_TEXT);
  for (const name of ['failed_at', 'detected_at', 'restored_at', 'changes_refused']) readInteger(record, name);
}

function checkAccessed(record: JsonObject): void {
  readText(record, 'actor', SHORT_TEXT);
  readText(record, 'action', ACTION);
  readDigest(record, 'manifest');
  readInteger(record, 'at');
  const range = record['range'];
  if (!isJsonObject(range)) throw shapeError('range is not an object');
  for (const name of ['start', 'end']) readInteger(range, name);
}

function checkDocument(record: JsonObject): void {
  readText(record, 'document', NAME);
  readDigest(record, 'sha256');
  readInteger(record, 'size');
  readText(record, 'media_type', SHORT_TEXT);
}

function checkRelation(relation: JsonValue): void {
  if (!isJsonObject(relation)) throw shapeError('a relation is not an object');
  for (const name of ['schema', 'name']) readText(relation, name, SHORT_TEXT);
  for (const name of ['inserts', 'updates', 'deletes', 'truncates']) readInteger(relation, name);
  if (relation['ddl'] !== undefined) readInteger(relation, 'ddl');
  readDigest(relation, 'rows_digest');
  if (relation['ddl'] !== undefined) readInteger(relation, 'ddl', 1);
}

function checkToken(token: JsonValue): void {
  if (typeof token !== 'string' || !DIGEST.test(token)) throw shapeError('a token hash is not a digest');
}
