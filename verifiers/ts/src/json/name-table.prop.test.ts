// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NameTable } from './name-table.ts';

describe('a table of names', () => {
  it('gives every text as it stands, whichever were met before and share its slot', () => {
    const text = fc.oneof(
      fc.constantFrom('', 'kind', 'tenant', 'acme', 'a'.repeat(64), 'a'.repeat(65)),
      fc.string({ unit: 'binary-ascii', maxLength: 3 }),
    );
    // Two names whose marks are the same: 31 * 'a' + 'b' = 31 * 'b' + 'C'.
    const twins = fc.constantFrom('ab', 'bC');
    const table = new NameTable();
    fc.assert(
      fc.property(fc.array(fc.oneof(text, twins), { maxLength: 200 }), fc.nat({ max: 9 }), (texts, before) => {
        for (const one of texts) {
          const bytes = Buffer.from(`${'x'.repeat(before)}${one}x`, 'latin1');
          expect(table.textOf(bytes, before, before + one.length)).toBe(one);
        }
      }),
    );
  });
});
