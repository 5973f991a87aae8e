// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { committedCorpora } from './corpora.ts';
import { figureOf, knownFalsePositives, publishedFigures } from './figures.ts';
import { harmlessSum, judgeFigures } from './judge-figures.ts';
import { loadPacks, measureCorpus } from './measure-corpus.ts';

const packs = loadPacks();
const published = publishedFigures();
const measured = committedCorpora().map((corpus) => measureCorpus(corpus, packs));

describe('docs/reference/detectors.md', () => {
  it.each(measured)('tells what is found in $name', (corpus) => {
    const { worse } = judgeFigures([corpus], published, knownFalsePositives());
    expect(worse.filter(({ code }) => code !== 'CLY_CORPORA_SHARE')).toEqual([]);
    expect(published.corpora).toContainEqual(figureOf(corpus));
  });

  it('is of the packs that are here: measure anew with `make corpora ACCEPT=1`', () => {
    expect(published.pack_digest).toBe(packs.digest);
  });
});

describe('packs that may do more than count', () => {
  it('are quiet enough for a rule that blocks', () => {
    expect(judgeFigures(measured, published, knownFalsePositives()).worse).toEqual([]);
    expect(harmlessSum(measured).texts).toBe(5_499);
  });

  it('have a reason for each text that they are known to find something in', () => {
    expect(knownFalsePositives().filter(({ reason }) => reason.length < 40)).toEqual([]);
  });
});
