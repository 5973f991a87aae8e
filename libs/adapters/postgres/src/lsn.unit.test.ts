// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compareLsn, formatLsn, parseLsn } from './lsn.ts';

describe('lsn', () => {
  it('reads and writes what the server prints', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16b374d848n);
    expect(formatLsn(0x16b374d848n)).toBe('16/B374D848');
    expect(formatLsn(0n)).toBe('0/0');
    expect(formatLsn((1n << 64n) - 1n)).toBe('FFFFFFFF/FFFFFFFF');
  });

  it('compares by number, not by text', () => {
    expect(compareLsn('9/FFFFFFFF', '10/0')).toBeLessThan(0);
    expect(compareLsn('10/0', '9/FFFFFFFF')).toBeGreaterThan(0);
    expect(compareLsn('0/ab', '0/AB')).toBe(0);
  });

  it.each(['', '0', '0/', '/0', '0/0/0', '0/123456789', 'g/0', ' 0/0'])('refuses %j', (text) => {
    expect(() => parseLsn(text)).toThrow(expect.objectContaining({ code: 'CLY_SOURCE_LSN_INVALID' }));
  });

  it('round-trips every 64-bit position in order', () => {
    const position = fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: (1n << 53n) - 4n, max: (1n << 53n) + 4n }),
      fc.bigInt({ min: (1n << 32n) - 4n, max: (1n << 32n) + 4n }),
    );
    fc.assert(
      fc.property(position, position, (left, right) => {
        const halves = [left >> 32n, left & 0xffff_ffffn];
        expect(formatLsn(left)).toBe(halves.map((half) => half.toString(16).toUpperCase()).join('/'));
        expect(parseLsn(formatLsn(left))).toBe(left);
        expect(Math.sign(compareLsn(formatLsn(left), formatLsn(right)))).toBe(left < right ? -1 : Number(left > right));
      }),
    );
  });
});
