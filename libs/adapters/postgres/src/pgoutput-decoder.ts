// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { MessageReader } from './message-reader.ts';
import type {
  LogicalMessage,
  OldTupleKind,
  PgoutputMessage,
  RelationColumn,
  RelationMessage,
  RowMessage,
  TruncateMessage,
} from './pgoutput-messages.ts';

const byteOf = (character: string): number => character.charCodeAt(0);

const TUPLE_NEW = byteOf('N');
const TUPLE_KEY = byteOf('K');
const TUPLE_FULL = byteOf('O');
const COLUMN_NULL = byteOf('n');
const COLUMN_UNCHANGED = byteOf('u');
const COLUMN_TEXT = byteOf('t');
const COLUMN_BINARY = byteOf('b');
const COLUMN_IS_KEY = 1;
const TRUNCATE_CASCADE = 1;
const TRUNCATE_RESTART_IDENTITY = 2;
const MESSAGE_TRANSACTIONAL = 1;

type MessageDecoder = (reader: MessageReader) => PgoutputMessage;

const DECODERS: ReadonlyMap<number, MessageDecoder> = new Map<number, MessageDecoder>([
  [byteOf('B'), decodeBegin],
  [byteOf('C'), decodeCommit],
  [byteOf('O'), (reader) => ({ kind: 'origin', originLsn: reader.lsn(), name: reader.cString() })],
  [byteOf('R'), decodeRelation],
  [byteOf('Y'), decodeType],
  [byteOf('I'), decodeInsert],
  [byteOf('U'), decodeUpdate],
  [byteOf('D'), decodeDelete],
  [byteOf('T'), decodeTruncate],
  [byteOf('M'), decodeLogicalMessage],
]);

/**
 * Decodes one whole pgoutput message of protocol version 1, which begins at `from`. Byte fields of the answer are views into `bytes`.
 *
 * Errors: CLY_SOURCE_MESSAGE_UNKNOWN for a type this version does not have (a server with streaming or
 * two-phase switched on), CLY_SOURCE_MESSAGE_MALFORMED for one that is cut off or too long. Both mean stop:
 * what cannot be read cannot be confirmed.
 */
export function decodePgoutput(bytes: Buffer, from = 0): PgoutputMessage {
  const type = bytes[from];
  const decoder = type === undefined ? undefined : DECODERS.get(type);
  if (decoder === undefined) {
    throw new ClyraError(
      'CLY_SOURCE_MESSAGE_UNKNOWN',
      'The server sent a replication message of an unknown type. Check that nothing but protocol version 1 was asked for.',
      { retry: 'never', context: { messageType: type ?? null, sizeBytes: bytes.length - from } },
    );
  }
  const reader = new MessageReader(bytes, from);
  const message = decoder(reader);
  reader.expectEnd();
  return message;
}

function decodeBegin(reader: MessageReader): PgoutputMessage {
  const finalLsn = reader.lsn();
  const commitTimeMs = reader.timestampMs();
  return { kind: 'begin', finalLsn, commitTimeMs, xid: reader.uint32() };
}

function decodeCommit(reader: MessageReader): PgoutputMessage {
  reader.skip(1);
  const commitLsn = reader.lsn();
  const endLsn = reader.lsn();
  return { kind: 'commit', commitLsn, endLsn, commitTimeMs: reader.timestampMs() };
}

function decodeRelation(reader: MessageReader): RelationMessage {
  const relationOid = reader.uint32();
  const schema = schemaName(reader);
  const name = reader.cString();
  const replicaIdentity = String.fromCharCode(reader.uint8());
  const columnCount = reader.uint16();
  const columns: RelationColumn[] = [];
  for (let index = 0; index < columnCount; index += 1) {
    const isKey = (reader.uint8() & COLUMN_IS_KEY) !== 0;
    const columnName = reader.cString();
    const typeOid = reader.uint32();
    columns.push({ name: columnName, isKey, typeOid, typeModifier: reader.int32() });
  }
  return { kind: 'relation', relationOid, schema, name, replicaIdentity, columns };
}

function decodeType(reader: MessageReader): PgoutputMessage {
  const typeOid = reader.uint32();
  const schema = schemaName(reader);
  return { kind: 'type', typeOid, schema, name: reader.cString() };
}

function schemaName(reader: MessageReader): string {
  const schema = reader.cString();
  return schema === '' ? 'pg_catalog' : schema;
}

function decodeInsert(reader: MessageReader): RowMessage {
  const relationOid = reader.uint32();
  const body = reader.rest();
  skipTuple(reader, { kind: reader.uint8(), expected: TUPLE_NEW });
  return { kind: 'insert', relationOid, oldTuple: 'none', body };
}

function decodeUpdate(reader: MessageReader): RowMessage {
  const relationOid = reader.uint32();
  const body = reader.rest();
  let oldTuple: OldTupleKind = 'none';
  let kind = reader.uint8();
  if (kind !== TUPLE_NEW) {
    oldTuple = oldTupleKind(kind, reader);
    skipTuple(reader, { kind, expected: kind });
    kind = reader.uint8();
  }
  skipTuple(reader, { kind, expected: TUPLE_NEW });
  return { kind: 'update', relationOid, oldTuple, body };
}

function decodeDelete(reader: MessageReader): RowMessage {
  const relationOid = reader.uint32();
  const body = reader.rest();
  const kind = reader.uint8();
  const oldTuple = oldTupleKind(kind, reader);
  skipTuple(reader, { kind, expected: kind });
  return { kind: 'delete', relationOid, oldTuple, body };
}

function oldTupleKind(kind: number, reader: MessageReader): OldTupleKind {
  if (kind === TUPLE_KEY) {
    return 'key';
  }
  if (kind === TUPLE_FULL) {
    return 'full';
  }
  throw reader.malformed('an unknown tuple kind');
}

/** Walks the columns so that the framing of a digest over the raw bytes is known to be sound. */
function skipTuple(reader: MessageReader, tuple: { kind: number; expected: number }): void {
  if (tuple.kind !== tuple.expected) {
    throw reader.malformed('an unexpected tuple kind');
  }
  const columnCount = reader.uint16();
  for (let index = 0; index < columnCount; index += 1) {
    const marker = reader.uint8();
    if (marker === COLUMN_TEXT || marker === COLUMN_BINARY) {
      reader.skip(reader.int32());
    } else if (marker !== COLUMN_NULL && marker !== COLUMN_UNCHANGED) {
      throw reader.malformed('an unknown column marker');
    }
  }
}

function decodeTruncate(reader: MessageReader): TruncateMessage {
  const relationCount = reader.uint32();
  const options = reader.uint8();
  const relationOids: number[] = [];
  for (let index = 0; index < relationCount; index += 1) {
    relationOids.push(reader.uint32());
  }
  return {
    kind: 'truncate',
    cascade: (options & TRUNCATE_CASCADE) !== 0,
    restartIdentity: (options & TRUNCATE_RESTART_IDENTITY) !== 0,
    relationOids,
  };
}

function decodeLogicalMessage(reader: MessageReader): LogicalMessage {
  const transactional = (reader.uint8() & MESSAGE_TRANSACTIONAL) !== 0;
  const lsn = reader.lsn();
  const prefix = reader.cString();
  const content = reader.bytes(reader.uint32());
  return { kind: 'message', transactional, lsn, prefix, content };
}
