// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { CorpusFacts } from './corpus.ts';
import type { Figures, KnownFalsePositive } from './figures.ts';
import { figuresTable } from './figures-table.ts';
import { type Judgement, judgeFigures } from './judge-figures.ts';
import type { Found, Measured } from './measure-corpus.ts';

const MAIL: CorpusFacts = { name: 'mail', kind: 'harmless', side: 'held out' };
const SPAM: CorpusFacts = { name: 'spam', kind: 'attacks', side: 'tuned' };
const found: Found = { corpus: 'mail', id: '7', digest: 'd7', rules: ['injection/x'] };
const entry: KnownFalsePositive = { ...found, reason: 'it is one' };
const published: Figures = {
  measured_on: '2026-11-28',
  pack_digest: 'p',
  corpora: [
    { ...MAIL, texts: 2_000, strict: 1, any: 40 },
    { ...SPAM, texts: 10, strict: 4, any: 6 },
  ],
};
const mail = (change: Partial<Measured> = {}): Measured => ({
  ...MAIL,
  texts: 2_000,
  strict: 1,
  any: 40,
  falsePositives: [found],
  ...change,
});
const spam = (change: Partial<Measured> = {}): Measured => ({
  ...SPAM,
  texts: 10,
  strict: 4,
  any: 6,
  falsePositives: [],
  ...change,
});
const codes = ({ worse, changed }: Judgement): readonly string[][] =>
  [worse, changed].map((list) => list.map(({ corpus, code }) => `${corpus} ${code}`));

describe('figures of corpora', () => {
  it('hold where nothing changed', () => {
    expect(judgeFigures([mail(), spam()], published, [entry])).toEqual({ worse: [], changed: [] });
  });

  it.each<[string, Measured, string]>([
    [
      'a false positive in another text',
      mail({ falsePositives: [{ ...found, digest: 'd8' }] }),
      'mail CLY_CORPORA_FALSE_POSITIVE',
    ],
    [
      'another rule in a known text',
      mail({ falsePositives: [{ ...found, rules: ['injection/y'] }] }),
      'mail CLY_CORPORA_FALSE_POSITIVE',
    ],
    ['more than one in a thousand', mail({ strict: 3 }), 'all harmless texts CLY_CORPORA_SHARE'],
    ['a known text that is quiet now', mail({ falsePositives: [], strict: 0 }), 'mail CLY_CORPORA_NEEDLESS'],
    ['fewer texts', mail({ texts: 1_999 }), 'mail CLY_CORPORA_FEWER'],
    ['no text', mail({ texts: 0 }), 'mail CLY_CORPORA_EMPTY'],
    ['an attack that is found no more', spam({ strict: 3 }), 'spam CLY_CORPORA_DETECTION'],
    ['an attack that is watched no more', spam({ any: 5 }), 'spam CLY_CORPORA_DETECTION'],
  ])('are worse with %s', (_, changed, code) => {
    const all = changed.kind === 'harmless' ? [changed, spam()] : [mail(), changed];
    expect(codes(judgeFigures(all, published, [entry]))[0]).toContain(code);
  });

  it('are only changed where more is found in attacks, or a corpus is new', () => {
    const more = judgeFigures([mail(), spam({ strict: 5 }), spam({ name: 'new' })], published, [entry]);
    expect(codes(more)).toEqual([[], ['spam CLY_CORPORA_CHANGED', 'new CLY_CORPORA_CHANGED']]);
  });

  it('are wrong where no harmless text was measured at all', () => {
    expect(codes(judgeFigures([spam()], published, []))[0]).toEqual(['all harmless texts CLY_CORPORA_SHARE']);
  });

  it('show each corpus with its side, and a part of another one in no sum', () => {
    const table = figuresTable([
      ...published.corpora,
      { ...MAIL, name: 'half of the mail', part: true, texts: 5, strict: 5, any: 5 },
    ]);
    expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual(
      expect.arrayContaining([
        ['mail', 'held out', '2000', '1', '0.1 %', '40', '2.0 %'],
        ['half of the mail', 'held out', '5', '5', '100.0 %', '5', '100.0 %'],
        ['all', '2000', '1', '0.050 %'],
        ['spam', 'tuned', '10', '4', '40.0 %', '6', '60.0 %'],
      ]),
    );
  });
});
