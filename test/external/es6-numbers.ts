// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';

const BLOCK_BYTES = 32;

export interface NumberPlan {
  /** Doubles that come first, as 16 hex digits of their bits. */
  readonly first: readonly string[];
  /** Then `serial_count` doubles whose bits count up from here. */
  readonly serial_from: string;
  readonly serial_count: number;
}

/**
 * The sequence of doubles that the authors of RFC 8785 publish hashes for: edge cases, a run of neighbours, and then
 * the words of a chain of SHA-256 blocks that begins at 32 zero bytes. Zeros and what is not finite are passed over.
 */
export function* es6Numbers(plan: NumberPlan): Generator<bigint> {
  for (const bits of plan.first) {
    yield BigInt(`0x${bits}`);
  }
  const from = BigInt(`0x${plan.serial_from}`);
  for (let index = 0; index < plan.serial_count; index += 1) {
    yield from + BigInt(index);
  }
  let block: Buffer = Buffer.alloc(BLOCK_BYTES);
  for (;;) {
    block = createHash('sha256').update(block).digest();
    for (let at = 0; at < BLOCK_BYTES; at += 8) {
      const value = block.readDoubleLE(at);
      if (value !== 0 && Number.isFinite(value)) {
        yield block.readBigUInt64LE(at);
      }
    }
  }
}

/** The SHA-256 of the first `count` lines `bits,text` when numbers are written by `write`. */
export function hashNumbers(plan: NumberPlan, count: number, write: (value: number) => string): string {
  const hash = createHash('sha256');
  const word = new DataView(new ArrayBuffer(8));
  let left = count;
  let text = '';
  for (const bits of es6Numbers(plan)) {
    word.setBigUint64(0, bits);
    text += `${bits.toString(16)},${write(word.getFloat64(0))}\n`;
    left -= 1;
    if (left === 0 || text.length > 65_536) {
      hash.update(text);
      text = '';
    }
    if (left === 0) {
      break;
    }
  }
  return hash.digest('hex');
}
