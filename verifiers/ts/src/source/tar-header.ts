// SPDX-License-Identifier: Apache-2.0

export const TAR_BLOCK = 512;
const NAME_BYTES = 100;
const CHECKSUM_AT = 148;
const SIZE_DIGITS = /^[0-7]{11}$/;
const NAME = /^[\x21-\x7e]{1,99}$/;

/** The one header that a file of this name and size may have (bundle.md §2). */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK);
  const put = (at: number, text: string) => header.write(text, at, 'latin1');
  put(0, name);
  put(100, '0000644');
  put(108, '0000000');
  put(116, '0000000');
  put(124, size.toString(8).padStart(11, '0'));
  put(136, '00000000000');
  put(CHECKSUM_AT, ' '.repeat(8));
  put(156, '0');
  put(257, 'ustar\x0000');
  put(329, '0000000');
  put(337, '0000000');
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(CHECKSUM_AT, `${sum.toString(8).padStart(6, '0')}\x00 `);
  return header;
}

/** What a header says of name and size, or null when it says neither in the way it must. */
export function nameAndSizeOf(header: Buffer): { readonly name: string; readonly size: number } | null {
  const end = header.indexOf(0);
  const name = header.toString('latin1', 0, Math.max(0, Math.min(end, NAME_BYTES)));
  const digits = header.toString('latin1', 124, 135);
  return NAME.test(name) && SIZE_DIGITS.test(digits) ? { name, size: Number.parseInt(digits, 8) } : null;
}
