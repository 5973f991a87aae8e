// SPDX-License-Identifier: Apache-2.0
import type { OutgoingRecord, RecordHeader } from '@clyra/core/ports/record-log';
import { crc32c } from './crc32c.ts';
import { WireReader } from './wire-reader.ts';
import { varintSize, type WireWriter } from './wire-writer.ts';

/** Record batches of magic 2 (KIP-98): what a producer sends, and what a broker stores and hands out. */
export const MAGIC = 2;
/** Base offset and length: what stands before what the length counts. */
const PREFIX_BYTES = 12;
/** From the partition leader epoch to the record count. */
const HEADER_BYTES = 49;
/** From the start of the batch: what the checksum covers begins here. */
const CHECKED_FROM = 21;
const CHECKSUM_AT = 17;
const MAGIC_AT = 16;

const COMPRESSION_MASK = 0x7;
const LOG_APPEND_TIME = 0x8;
const CONTROL = 0x20;

export type WireRecord = {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[] | undefined;
  readonly isControlRecord: boolean;
  /** One after the last offset of its batch, of which compaction may have taken the last records away. */
  readonly batchEnd: number;
};

/** Not idempotent (no producer id), not compressed; all records carry the one time. */
export function batchSize(records: readonly OutgoingRecord[]): number {
  let size = PREFIX_BYTES + HEADER_BYTES;
  records.forEach((record, index) => {
    const body = recordSize(record, index);
    size += varintSize(body) + body;
  });
  return size;
}

export function writeBatch(to: WireWriter, records: readonly OutgoingRecord[], nowMs: number): void {
  const start = to.at;
  to.int64(0);
  to.int32(batchSize(records) - PREFIX_BYTES);
  to.int32(0);
  to.int8(MAGIC);
  to.int32(0);
  to.int16(0);
  to.int32(records.length - 1);
  to.int64(nowMs);
  to.int64(nowMs);
  to.int64(-1);
  to.int16(0);
  to.int32(0);
  to.int32(records.length);
  records.forEach((record, index) => {
    to.varint(recordSize(record, index));
    to.int8(0);
    to.varint(0);
    to.varint(index);
    writeBytes(to, record.key);
    writeBytes(to, record.value);
    to.varint(0);
  });
  to.bytes.writeUInt32BE(crc32c(to.bytes, start + CHECKED_FROM, to.at), start + CHECKSUM_AT);
}

function recordSize({ key, value }: OutgoingRecord, index: number): number {
  return 3 + varintSize(index) + bytesSize(key) + bytesSize(value);
}

function bytesSize(bytes: Uint8Array | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length;
}

function writeBytes(to: WireWriter, bytes: Uint8Array | null): void {
  to.varint(bytes === null ? -1 : bytes.length);
  if (bytes !== null) to.raw(bytes);
}

/**
 * The records of a partition's answer; a batch cut off at its end is left for the next fetch. undefined where a batch is
 * compressed or of another age: what we write never is, so only foreign writers pay for the client's own decoder.
 */
export function readBatches(bytes: Buffer, from: number, to: number): WireRecord[] | undefined {
  const records: WireRecord[] = [];
  let at = from;
  while (to - at >= PREFIX_BYTES + HEADER_BYTES) {
    if (bytes.readInt8(at + MAGIC_AT) !== MAGIC) return undefined;
    const end = at + PREFIX_BYTES + bytes.readInt32BE(at + PREFIX_BYTES - 4);
    if (end > to) break;
    if (!readBatch(new WireReader(bytes, at, end), records)) return undefined;
    at = end;
  }
  return records;
}

function readBatch(batch: WireReader, into: WireRecord[]): boolean {
  const baseOffset = batch.int64();
  batch.skip(CHECKED_FROM - 8);
  const attributes = batch.int16();
  if ((attributes & COMPRESSION_MASK) !== 0) return false;
  const batchEnd = baseOffset + batch.int32() + 1;
  const firstMs = batch.int64();
  const maxMs = batch.int64();
  batch.skip(14);
  const isControlRecord = (attributes & CONTROL) !== 0;
  const appended = (attributes & LOG_APPEND_TIME) !== 0;
  for (let count = batch.int32(); count > 0; count -= 1) {
    const end = batch.varint() + batch.at;
    batch.skip(1);
    const sinceFirstMs = batch.varlong();
    const offset = baseOffset + batch.varint();
    const key = batch.varBytes();
    const value = batch.varBytes();
    const timestampMs = appended ? maxMs : firstMs + sinceFirstMs;
    const headers = readHeaders(batch);
    into.push({ offset, timestampMs, key, value, headers, isControlRecord, batchEnd });
    batch.skip(end - batch.at);
  }
  return true;
}

function readHeaders(batch: WireReader): readonly RecordHeader[] | undefined {
  const count = batch.varint();
  if (count <= 0) return undefined;
  const headers: RecordHeader[] = [];
  // A header takes two bytes at least, so a false count ends with the batch.
  while (headers.length < count) headers.push([headerName(batch.varBytes()), batch.varBytes()]);
  return headers;
}

function headerName(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
