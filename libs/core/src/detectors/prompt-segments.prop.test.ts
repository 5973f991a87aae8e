// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { segmentsOf } from './prompt-segments.ts';

/** Folding removes it, and a text with it is not read byte by byte. */
const UNSEEN = '\u200b';
const piece = fc.oneof(
  fc.constantFrom(' ', '. ', '! ', '?', '.', '\n', '\t', '  ', '-', '_', '@', 'é', '７', UNSEEN),
  fc.constantFrom('Refund', 'order', 'a1b2c3', 'ab12', '7', '4711', 'user.7@example.com', 'x'.repeat(900)),
  fc.string({ unit: 'binary-ascii', maxLength: 6 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));

describe('the segments of a prompt', () => {
  it('are the same whether a text is read in one pass over its bytes or step by step', () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 4 }), (texts) => {
        expect(segmentsOf(texts)).toEqual(segmentsOf(texts.map((one) => UNSEEN + one)));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[text: string, segments: readonly string[]]>([
    ['', []],
    [' ', []],
    ['...', ['...']],
    [' Loyal ', ['loyal']],
    ['Refund order 4711 of 12.50 EUR.', ['refund order # of #.# eur.']],
    ['user.17@example.com', ['user.#@example.com']],
    ['ab12cd a1b2c a1b2c3 under_score-7', ['# a#b#c # #']],
    ['One. Two!\n\nThree', ['one.', 'two!', 'three']],
    ['two  blanks\tand a tab', ['two blanks and a tab']],
  ])('of %j', (one, segments) => expect(segmentsOf([one])).toEqual(segments));
});
