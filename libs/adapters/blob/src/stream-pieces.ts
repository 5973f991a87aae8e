// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream';
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
import { cutShort } from './blob-error.ts';
import { inTime, type Wait } from './in-time.ts';

/** What of the stream came and did not fit into the piece before. */
type Source = { readonly chunks: AsyncIterator<Uint8Array>; rest: Uint8Array };

const NOTHING = new Uint8Array();

/**
 * A stream as pieces of BLOB_PIECE_BYTES_MAX and a last one, each within the deadline: what drips does not hold its reader.
 * Reads to the very end, where the stream's own checksum is compared. Throws CLY_BLOB_UNAVAILABLE and the stream's errors.
 */
export async function* streamPieces(
  body: Readable,
  about: Wait & { readonly size: number | undefined },
): AsyncGenerator<Uint8Array> {
  const source: Source = { chunks: body.iterator(), rest: NOTHING };
  let read = 0;
  try {
    for (let isLast = false; !isLast; ) {
      const piece = await inTime(nextPiece(source), about);
      read += piece.length;
      isLast = piece.length < BLOB_PIECE_BYTES_MAX;
      if (piece.length > 0) yield piece;
    }
    if (about.size !== undefined && read !== about.size) throw cutShort(about.name, { read, size: about.size });
  } finally {
    body.destroy();
  }
}

async function nextPiece(source: Source): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let size = 0; size < BLOB_PIECE_BYTES_MAX; ) {
    const chunk = source.rest.length > 0 ? source.rest : await nextChunk(source.chunks);
    if (chunk === undefined) break;
    const part = chunk.subarray(0, BLOB_PIECE_BYTES_MAX - size);
    source.rest = chunk.subarray(part.length);
    parts.push(part);
    size += part.length;
  }
  return Buffer.concat(parts);
}

async function nextChunk(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
  const { done, value } = await chunks.next();
  return done === true ? undefined : value;
}
