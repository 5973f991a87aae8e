// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import {
  readDigest,
  readInteger,
  readList,
  readObject,
  readText,
  STREAM_ID,
  shapeError,
  TENANT,
} from '../change/shape.ts';

/** Where a tenant's fold can go on: the state of its last cut, and how far nothing came after it. */
export type TenantMark = {
  readonly tenant: string;
  /** No record of the tenant stands between its cut and this offset. */
  readonly covers: number;
  readonly cut_offset: number;
  readonly state_digest: Digest;
  /** The chain of bodies after the cut. */
  readonly next_seq: number;
  readonly prev: Digest;
};

/** Where the fold of a partition can go on instead of at its start; written at a cut. */
export type PartitionSnapshot = {
  readonly v: 0;
  readonly partition: number;
  readonly stream_id: string;
  /** Everything up to here is covered by the marks, or is folded again for the tenants that are behind. */
  readonly offset: number;
  readonly chain: Digest;
  readonly log: { readonly next_seq: number; readonly prev: Digest; readonly time: number };
  readonly tenants: readonly TenantMark[];
};

/** The first offset that a fold from this snapshot must read. */
export function resumeOffset(snapshot: PartitionSnapshot): number {
  return Math.min(snapshot.offset, ...snapshot.tenants.map((mark) => mark.covers)) + 1;
}

/** A record, or undefined where there are more tenants than a record holds: such a partition folds from its start. */
export function encodeSnapshot(snapshot: PartitionSnapshot): Uint8Array | undefined {
  if (snapshot.tenants.length > TENANTS_MAX) return undefined;
  return encodeRecord(snapshot as unknown as JsonObject);
}

const TENANTS_MAX = 150;

/** Throws JsonError or CLY_RECORD_SHAPE: such a snapshot is not used. */
export function parseSnapshot(bytes: Uint8Array): PartitionSnapshot {
  const record = parseRecord(bytes);
  if (record['v'] !== 0) throw shapeError('v is not 0');
  for (const name of ['partition', 'offset']) readInteger(record, name);
  readText(record, 'stream_id', STREAM_ID);
  readDigest(record, 'chain');
  const log = readObject(record, 'log');
  for (const name of ['next_seq', 'time']) readInteger(log, name);
  readText(log, 'prev', DIGEST);
  for (const mark of readList(record, 'tenants', TENANTS_MAX)) checkMark(mark);
  return record as unknown as PartitionSnapshot;
}

function checkMark(mark: JsonValue): void {
  if (!isJsonObject(mark)) throw shapeError('a mark is not an object');
  readText(mark, 'tenant', TENANT);
  for (const name of ['covers', 'cut_offset', 'next_seq']) readInteger(mark, name);
  for (const name of ['state_digest', 'prev']) readDigest(mark, name);
}
