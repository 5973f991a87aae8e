// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { decimalText, parseDecimal, unitsOf } from './decimal.ts';

describe('decimals', () => {
  it.each([
    ['0', '0'],
    ['1250', '1250'],
    ['12.50', '12.5'],
    ['0.000000001', '0.000000001'],
    ['0.0000000001', '0.000000001'],
    ['1.0000000000', '1'],
    ['999999999999999999.999999999', '999999999999999999.999999999'],
  ])('reads %s as %s', (text, canonical) => {
    const units = parseDecimal(text);
    expect(units === undefined ? undefined : decimalText(units)).toBe(canonical);
    expect(unitsOf(canonical)).toBe(units);
  });

  it.each(['', '-1', '+1', '1e3', '01', '.5', '1.', '1,5', ' 1', 'Infinity', 'NaN', '0x10', `1${'0'.repeat(18)}`])(
    'refuses %j',
    (text) => {
      expect(parseDecimal(text)).toBeUndefined();
    },
  );

  it('adds what floating point does not', () => {
    const sum = (parseDecimal('0.1') as bigint) + (parseDecimal('0.2') as bigint);
    expect(decimalText(sum)).toBe('0.3');
  });
});
