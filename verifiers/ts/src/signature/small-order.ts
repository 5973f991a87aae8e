// SPDX-License-Identifier: Apache-2.0

/**
 * The encodings of the points of order 8 and below, the non-canonical ones among them. OpenSSL from 3.5 on refuses them
 * as key and as R, older releases and Go do not: with them refused here, every platform gives the same verdict.
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
]);

const POINT_BYTES = 32;
const FIRST_BYTES: ReadonlySet<number> = new Set([...SMALL_ORDER].map((text) => Number.parseInt(text.slice(0, 2), 16)));

/** Whether the first 32 bytes encode a point of order 8 or below (records.md §3): of a key, or of a signature its R. */
export function isSmallOrder(bytes: Uint8Array): boolean {
  if (!FIRST_BYTES.has(bytes[0] as number)) {
    return false;
  }
  return SMALL_ORDER.has(Buffer.from(bytes.buffer, bytes.byteOffset, POINT_BYTES).toString('hex'));
}
