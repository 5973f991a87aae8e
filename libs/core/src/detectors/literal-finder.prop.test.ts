// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LiteralFinder } from './literal-finder.ts';

const POSITIONS_MAX = 32;
const literal = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '%', 'z'), minLength: 1, maxLength: 5 });
const letter = fc.constantFrom('a', 'A', 'b', 'B', ' ', '\t', '\n', '\r', '%', 'z', 'Z', '\u0000', '\f', 'é', '\u2028');
const text = fc.array(letter, { maxLength: 200, size: 'max' }).map((letters) => letters.join(''));

/** Every place of every literal, tried one after the other. */
function placesOf(literals: readonly string[], searched: string): Record<number, number[]> {
  const folded = searched.replace(/[A-Z]/g, (capital) => capital.toLowerCase()).replace(/[\t\n\r]/g, ' ');
  const places: Record<number, number[]> = {};
  for (const [number, one] of literals.entries()) {
    const starts = [...folded].flatMap((_, at) => (folded.startsWith(one, at) ? [at] : []));
    if (starts.length > 0) places[number] = starts.slice(0, POSITIONS_MAX);
  }
  return places;
}

describe('the finder of literals', () => {
  it('finds each where it stands, whatever its case and its blanks', () => {
    fc.assert(
      fc.property(fc.uniqueArray(literal, { maxLength: 12 }), text, (literals, searched) => {
        expect(Object.fromEntries(new LiteralFinder(literals).find(searched))).toEqual(placesOf(literals, searched));
      }),
    );
  });

  it('says in the same pass whether a text is ASCII', () => {
    fc.assert(
      fc.property(fc.uniqueArray(literal, { maxLength: 12 }), text, (literals, searched) => {
        const finder = new LiteralFinder(literals);
        const isAscii = [...searched].every((one) => one.charCodeAt(0) < 128);
        expect(finder.findInAscii(searched)).toEqual(isAscii ? finder.find(searched) : undefined);
      }),
    );
  });
});
