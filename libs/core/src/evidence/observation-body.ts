// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
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

export type ObservationBody = TransactionBody | WatermarkBody | GapBody;

const OBSERVATION_ID = /^[0-9a-f]{32}$/;
const LSN = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/;
const LIST_COUNT_MAX = 65_535;

/** Reads hostile bytes. Throws JsonError or CLY_RECORD_SHAPE: such an observation enters no tenant's log. */
export function parseObservation(bytes: Uint8Array): ObservationBody {
  return readObservation(parseRecord(bytes));
}

export function readObservation(record: JsonObject): ObservationBody {
  if (record['v'] !== 0) throw shapeError('v is not 0');
  readText(record, 'tenant', TENANT);
  readText(record, 'source_id', ID);
  readText(record, 'observation_id', OBSERVATION_ID);
  switch (record['kind']) {
    case 'transaction':
      readInteger(record, 'committed_at');
      readText(record, 'system_id', SHORT_TEXT);
      readInteger(record, 'timeline');
      readText(record, 'commit_end_lsn', LSN);
      for (const relation of readList(record, 'relations', LIST_COUNT_MAX)) checkRelation(relation);
      for (const token of readList(record, 'token_hashes', LIST_COUNT_MAX)) checkToken(token);
      break;
    case 'watermark':
      readText(record, 'lsn', SHORT_TEXT);
      readInteger(record, 'covers_until');
      break;
    case 'gap':
      for (const name of ['from_lsn', 'to_lsn', 'reason']) readText(record, name, SHORT_TEXT);
      break;
    default:
      throw shapeError('kind is not an observation');
  }
  return record as unknown as ObservationBody;
}

function checkRelation(relation: JsonValue): void {
  if (!isJsonObject(relation)) throw shapeError('a relation is not an object');
  for (const name of ['schema', 'name']) readText(relation, name, SHORT_TEXT);
  for (const name of ['inserts', 'updates', 'deletes', 'truncates']) readInteger(relation, name);
  readDigest(relation, 'rows_digest');
  if (relation['ddl'] !== undefined) readInteger(relation, 'ddl', 1);
}

function checkToken(token: JsonValue): void {
  if (typeof token !== 'string' || !DIGEST.test(token)) throw shapeError('a token hash is not a digest');
}
