// SPDX-License-Identifier: Apache-2.0
import type { OpenFile } from '../source/bundle-source.ts';

const CHUNK_BYTES = 262_144;
const LF = 0x0a;

export interface LineSink {
  /** Bytes as they stand in the file, each once. */
  onBytes(bytes: Buffer): void;
  /** A line without its LF. The bytes are only good during the call. */
  onLine(bytes: Buffer): void;
  /** A line longer than allowed (its bytes are not kept), or one that no LF ends. */
  onBroken(what: 'too_long' | 'unterminated'): void;
}

/** Reads lines in constant memory, whatever the file holds. Rejects only when the file cannot be read. */
export async function readLines(file: OpenFile, lineBytesMax: number, sink: LineSink): Promise<void> {
  const chunkBytes = Math.min(CHUNK_BYTES, file.size + 1);
  // Its unread part is never looked at; a small file needs no buffer for the longest line.
  const buffer = Buffer.allocUnsafeSlow(Math.min(lineBytesMax, file.size) + chunkBytes);
  let position = 0;
  let kept = 0;
  let skipping = false;
  for (;;) {
    const bytesRead = await file.read(buffer.subarray(kept, kept + chunkBytes), position);
    if (bytesRead === 0) {
      break;
    }
    position += bytesRead;
    sink.onBytes(buffer.subarray(kept, kept + bytesRead));
    const filled = kept + bytesRead;
    let from = 0;
    for (let end = buffer.indexOf(LF, kept); end >= 0 && end < filled; end = buffer.indexOf(LF, from)) {
      if (skipping) {
        sink.onBroken('too_long');
        skipping = false;
      } else {
        emit(buffer.subarray(from, end), lineBytesMax, sink);
      }
      from = end + 1;
    }
    kept = filled - from;
    if (kept > lineBytesMax || skipping) {
      skipping = true;
      kept = 0;
    } else {
      buffer.copyWithin(0, from, filled);
    }
  }
  if (kept > 0 || skipping) {
    sink.onBroken(skipping ? 'too_long' : 'unterminated');
  }
}

function emit(line: Buffer, lineBytesMax: number, sink: LineSink): void {
  if (line.length > lineBytesMax) {
    sink.onBroken('too_long');
  } else {
    sink.onLine(line);
  }
}
