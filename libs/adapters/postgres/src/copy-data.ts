// SPDX-License-Identifier: Apache-2.0
import { malformedMessage } from './message-reader.ts';

/** What the server wraps its replication messages in (PostgreSQL's manual, "Streaming Replication Protocol"). */
export type CopyData =
  /** Which begins there in the chunk. */
  | { readonly kind: 'message'; readonly from: number }
  | { readonly kind: 'keepalive'; readonly lsn: bigint; readonly serverTimeMs: number; readonly wantsReply: boolean };

const XLOG_DATA = 'w'.charCodeAt(0);
const KEEPALIVE = 'k'.charCodeAt(0);
/** Type, start and end of the data in the log, and the server's time. */
const XLOG_HEADER_SIZE = 25;
/** One for all of them: there are several in each transaction, and a view for each is one object too many. */
const MESSAGE: CopyData = { kind: 'message', from: XLOG_HEADER_SIZE };
const KEEPALIVE_SIZE = 18;
/** 2000-01-01T00:00:00Z in milliseconds since 1970. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
const MICROSECONDS_PER_MS = 1_000n;

/** Throws CLY_SOURCE_MESSAGE_MALFORMED (retry: never): what cannot be read cannot be confirmed. */
export function readCopyData(chunk: Buffer): CopyData {
  const type = chunk[0] ?? 0;
  if (type === XLOG_DATA && chunk.length > XLOG_HEADER_SIZE) return MESSAGE;
  if (type === KEEPALIVE && chunk.length === KEEPALIVE_SIZE) {
    const serverTimeMs = Number(chunk.readBigInt64BE(9) / MICROSECONDS_PER_MS) + POSTGRES_EPOCH_MS;
    return { kind: 'keepalive', lsn: chunk.readBigUInt64BE(1), serverTimeMs, wantsReply: chunk[17] !== 0 };
  }
  throw malformedMessage('it is neither data nor a sign of life', type);
}
