// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type CorpusText, distinct, sharingNothing, textDigest } from './corpus.ts';

const texts = (...values: readonly string[]): readonly CorpusText[] =>
  values.map((value, index) => ({ id: `${index}`, value }));
const values = (list: readonly CorpusText[]): readonly unknown[] => list.map(({ value }) => value);

describe('a corpus', () => {
  it('has each text once, whatever stands between its words', () => {
    expect(values(distinct(texts('One  two', 'one, two', 'one two three', 'ÉTÉ\nun', 'été un')))).toEqual([
      'One  two',
      'one two three',
      'ÉTÉ\nun',
    ]);
    expect(
      distinct([
        { id: 'a', value: { b: ['c'] } },
        { id: 'd', value: { b: ['c'] } },
      ]),
    ).toHaveLength(1);
  });

  it('leaves out what shares a run of words with another one', () => {
    const others = texts('zero one two three four', 'five');
    const kept = sharingNothing(texts('a One, two: three b', 'two three', 'three two one', 'five', ''), others, 3);
    expect(values(kept)).toEqual(['two three', 'three two one', 'five', '']);
  });

  it('names a text by the digest of its bytes', () => {
    expect(textDigest({ id: 'x', value: 'abc' })).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});
