// SPDX-License-Identifier: Apache-2.0
import { MessageReader, malformedMessage } from './message-reader.ts';

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

/** Throws CLY_SOURCE_MESSAGE_MALFORMED (retry: never): what cannot be read cannot be confirmed. */
export function readCopyData(chunk: Buffer): CopyData {
  const type = chunk[0] ?? 0;
  if (type === XLOG_DATA && chunk.length > XLOG_HEADER_SIZE) return MESSAGE;
  if (type === KEEPALIVE && chunk.length === KEEPALIVE_SIZE) {
    const reader = new MessageReader(chunk);
    return {
      kind: 'keepalive',
      lsn: reader.lsn(),
      serverTimeMs: reader.timestampMs(),
      wantsReply: reader.uint8() !== 0,
    };
  }
  throw malformedMessage('it is neither data nor a sign of life', type);
}
