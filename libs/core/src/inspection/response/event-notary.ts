// SPDX-License-Identifier: Apache-2.0
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../../canonical/digest.ts';
import type { ResponseEnd, ResponseFact } from '../../change/inspection-facts.ts';
import { CompactRange } from '../../merkle/compact-range.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const LEAF_PREFIX = Uint8Array.of(0);

/**
 * Notarises an event stream (WHATWG HTML §9.2) as it passes: each event, with the blank line that ends it, is a leaf of
 * an RFC 6962 tree. Events are hashed piece by piece and never kept, so nothing is delayed, however long they are. Bytes
 * after the last blank line are no event; they are in the digest of the whole.
 */
export class EventNotary {
  readonly #range = new CompactRange();
  readonly #all = createHash('sha256');
  #leaf: Hash = newLeaf();
  #leafSize = 0;
  #size = 0;
  /** Line ends at the end of what came so far: two, and the event is over. CR LF is one. */
  #lineIsEmpty = true;
  #lastWasReturn = false;
  /** A blank line has ended the event with CR; an LF behind it belongs to it. */
  #endsWithReturn = false;

  get count(): number {
    return this.#range.size;
  }

  get size(): number {
    return this.#size;
  }

  push(chunk: Uint8Array): void {
    this.#all.update(chunk);
    this.#size += chunk.length;
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (this.#endsWithReturn) {
        const end = byte === LINE_FEED ? at + 1 : at;
        this.#endEvent(chunk.subarray(from, end));
        from = end;
        if (byte === LINE_FEED) continue;
      }
      if (this.#isLineEnd(byte)) from = this.#endLine(chunk, { from, at });
      else if (byte !== LINE_FEED) this.#lineIsEmpty = false;
      this.#lastWasReturn = byte === CARRIAGE_RETURN;
    }
    this.#keep(chunk.subarray(from));
  }

  /** What has passed so far, if the stream ended (or stands) like this. */
  fact(end: ResponseEnd): ResponseFact {
    const range = this.#range.copy();
    // The blank line had come; whether a line feed would have followed is no longer open.
    if (this.#endsWithReturn) range.append(this.#leaf.copy().digest('hex'));
    return {
      form: 'sse',
      end,
      size: this.#size,
      digest: this.#all.copy().digest('hex'),
      items: range.size,
      root: range.root(),
    };
  }

  /** The line feed of a CR LF ends nothing once more. */
  #isLineEnd(byte: number | undefined): boolean {
    return byte === CARRIAGE_RETURN || (byte === LINE_FEED && !this.#lastWasReturn);
  }

  #endLine(chunk: Uint8Array, { from, at }: { readonly from: number; readonly at: number }): number {
    const isBlank = this.#lineIsEmpty;
    this.#lineIsEmpty = true;
    if (!isBlank) return from;
    if (chunk[at] === CARRIAGE_RETURN) {
      this.#endsWithReturn = true;
      this.#keep(chunk.subarray(from, at + 1));
      return at + 1;
    }
    this.#endEvent(chunk.subarray(from, at + 1));
    return at + 1;
  }

  #keep(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#leaf.update(piece);
    this.#leafSize += piece.length;
  }

  #endEvent(last: Uint8Array): void {
    this.#keep(last);
    this.#endsWithReturn = false;
    this.#lineIsEmpty = true;
    this.#lastWasReturn = false;
    if (this.#leafSize > 0) this.#range.append(this.#leaf.digest('hex') as Digest);
    this.#leaf = newLeaf();
    this.#leafSize = 0;
  }
}

function newLeaf(): Hash {
  return createHash('sha256').update(LEAF_PREFIX);
}
