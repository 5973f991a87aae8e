// SPDX-License-Identifier: Apache-2.0
/** Writes pgoutput messages as a server would, from the protocol's description and without the decoder's code. */

export type TupleColumn = { readonly marker: 'n' | 'u' } | { readonly marker: 't' | 'b'; readonly value: Buffer };
export type OldTuple = { readonly kind: 'K' | 'O'; readonly columns: readonly TupleColumn[] };

const POSTGRES_EPOCH_MS = 946_684_800_000;

export const u8 = (value: number): Buffer => Buffer.from([value]);
export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);
export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
export const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
};
const cString = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8');
const letter = (text: string): Buffer => Buffer.from(text, 'latin1');
const time = (timeMs: number): Buffer => u64(BigInt(timeMs - POSTGRES_EPOCH_MS) * 1_000n);

export function tupleBytes(columns: readonly TupleColumn[]): Buffer {
  const parts = columns.map((column) =>
    'value' in column
      ? Buffer.concat([letter(column.marker), u32(column.value.length), column.value])
      : letter(column.marker),
  );
  return Buffer.concat([u16(columns.length), ...parts]);
}

export const encode = {
  begin: (fields: { finalLsn: bigint; commitTimeMs: number; xid: number }): Buffer =>
    Buffer.concat([letter('B'), u64(fields.finalLsn), time(fields.commitTimeMs), u32(fields.xid)]),
  commit: (fields: { commitLsn: bigint; endLsn: bigint; commitTimeMs: number }): Buffer =>
    Buffer.concat([letter('C'), u8(0), u64(fields.commitLsn), u64(fields.endLsn), time(fields.commitTimeMs)]),
  origin: (fields: { originLsn: bigint; name: string }): Buffer =>
    Buffer.concat([letter('O'), u64(fields.originLsn), cString(fields.name)]),
  relation: (fields: {
    relationOid: number;
    schema: string;
    name: string;
    replicaIdentity: string;
    columns: readonly { name: string; isKey: boolean; typeOid: number }[];
  }): Buffer =>
    Buffer.concat([
      letter('R'),
      u32(fields.relationOid),
      cString(fields.schema),
      cString(fields.name),
      letter(fields.replicaIdentity),
      u16(fields.columns.length),
      ...fields.columns.map((column) =>
        Buffer.concat([u8(Number(column.isKey)), cString(column.name), u32(column.typeOid), u32(0xffff_ffff)]),
      ),
    ]),
  type: (fields: { typeOid: number; schema: string; name: string }): Buffer =>
    Buffer.concat([letter('Y'), u32(fields.typeOid), cString(fields.schema), cString(fields.name)]),
  insert: (relationOid: number, columns: readonly TupleColumn[]): Buffer =>
    Buffer.concat([letter('I'), u32(relationOid), letter('N'), tupleBytes(columns)]),
  update: (relationOid: number, columns: readonly TupleColumn[], old?: OldTuple): Buffer =>
    Buffer.concat([
      letter('U'),
      u32(relationOid),
      ...(old === undefined ? [] : [letter(old.kind), tupleBytes(old.columns)]),
      letter('N'),
      tupleBytes(columns),
    ]),
  delete: (relationOid: number, old: OldTuple): Buffer =>
    Buffer.concat([letter('D'), u32(relationOid), letter(old.kind), tupleBytes(old.columns)]),
  truncate: (relationOids: readonly number[], flags: number): Buffer =>
    Buffer.concat([letter('T'), u32(relationOids.length), u8(flags), ...relationOids.map(u32)]),
  message: (fields: { transactional: boolean; lsn: bigint; prefix: string; content: Buffer }): Buffer =>
    Buffer.concat([
      letter('M'),
      u8(Number(fields.transactional)),
      u64(fields.lsn),
      cString(fields.prefix),
      u32(fields.content.length),
      fields.content,
    ]),
};
