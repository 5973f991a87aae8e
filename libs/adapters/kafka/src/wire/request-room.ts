// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { assert } from '@clyra/core/kernel/assert';

/** Request header (10 bytes and the client's id) and the length before it. */
const ROOM_BYTES = 128;

/** Memory of which the content begins at `from`: what comes before it in the request is written there. */
type Whole = { readonly memory: Buffer; readonly from: number };

/** What kafkajs 2.2.4 puts a request together from: it takes the bytes by the first two names. */
export type EncodedRequest = { readonly buf: Buffer; readonly buffer: Buffer; readonly whole?: Whole };

type Encoder = { buf: Buffer; offset: number; whole?: Whole };
type EncoderClass = { readonly prototype: { writeEncoder(this: Encoder, value: EncodedRequest): Encoder } };

/** Of so many bytes, to be filled by the caller. */
export function roomyRequest(byteCount: number): { readonly content: Buffer; readonly request: EncodedRequest } {
  const memory = Buffer.allocUnsafe(ROOM_BYTES + byteCount);
  const content = memory.subarray(ROOM_BYTES);
  return { content, request: { buf: content, buffer: content, whole: { memory, from: ROOM_BYTES } } };
}

/**
 * kafkajs 2.2.4 copies a request twice, into zeroed memory of up to twice its size: once behind its header, once behind
 * its length. Where there is room before the content both are written there. Changes the prototype once for the process.
 */
export function repairRequestCopies(): void {
  const load = createRequire(import.meta.url);
  const { prototype } = load('kafkajs/src/protocol/encoder.js') as EncoderClass;
  const copied = prototype.writeEncoder;
  assert(typeof copied === 'function', 'kafkajs changed its encoder: see whether the repair is still needed');
  if (copied.name === writeInPlace.name) return;
  prototype.writeEncoder = writeInPlace;

  function writeInPlace(this: Encoder, value: EncodedRequest): Encoder {
    const { whole } = value;
    if (whole === undefined || whole.from < this.offset) return copied.call(this, value);
    const from = whole.from - this.offset;
    this.buf.copy(whole.memory, from, 0, this.offset);
    this.whole = { memory: whole.memory, from };
    this.buf = whole.memory.subarray(from);
    this.offset = this.buf.length;
    return this;
  }
}
