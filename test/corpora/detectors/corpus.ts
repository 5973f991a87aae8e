// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { JsonValue } from '@clyra/core/canonical/json-value';

export type CorpusText = { readonly id: string; readonly value: JsonValue };

export type CorpusFacts = {
  readonly name: string;
  readonly kind: 'harmless' | 'attacks';
  /** Tuned: its texts were looked at while rules were written. Held out: never before the first figure, attacks not at all. */
  readonly side: 'tuned' | 'held out';
  /** Part of another corpus, and so left out of sums. */
  readonly part?: true;
};

export type Corpus = CorpusFacts & { readonly texts: readonly CorpusText[] };

/** Each text once: what differs only in case, and in which blanks and punctuation stand between words, is the same text. */
export function distinct(texts: readonly CorpusText[]): readonly CorpusText[] {
  const seen = new Set<Digest>();
  return texts.filter(({ value }) => {
    const digest = digestOf(textOf(value).replaceAll(BETWEEN_WORDS, ' ').toLowerCase());
    const isNew = !seen.has(digest);
    seen.add(digest);
    return isNew;
  });
}

const BETWEEN_WORDS = /[^\p{L}\p{N}_]+/gu;

const textOf = (value: JsonValue): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** By which a list can name a text that may not be committed. */
export const textDigest = ({ value }: CorpusText): Digest => digestOf(textOf(value));

/**
 * The texts that share no run of so many words with any of the others: two corpora that took from the same source must
 * not count as two witnesses.
 */
export function sharingNothing(
  texts: readonly CorpusText[],
  others: readonly CorpusText[],
  runWords: number,
): readonly CorpusText[] {
  const known = new Set(others.flatMap(({ value }) => runsOf(value, runWords)));
  return texts.filter(({ value }) => !runsOf(value, runWords).some((run) => known.has(run)));
}

function runsOf(value: JsonValue, size: number): readonly string[] {
  const words = textOf(value)
    .toLowerCase()
    .split(BETWEEN_WORDS)
    .filter((word) => word !== '');
  if (words.length < size) return [];
  return Array.from({ length: words.length - size + 1 }, (_, start) => words.slice(start, start + size).join(' '));
}
