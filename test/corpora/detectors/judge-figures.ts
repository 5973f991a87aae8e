// SPDX-License-Identifier: Apache-2.0
import type { Figure, Figures, KnownFalsePositive } from './figures.ts';
import type { Found, Measured } from './measure-corpus.ts';

/** What may block, or raise an approval, finds something in at most this share of harmless texts. */
export const FALSE_POSITIVE_SHARE_MAX = 0.001;

export type Problem = { readonly corpus: string; readonly code: `CLY_CORPORA_${string}`; readonly message: string };

/** Two kinds: `worse` must be mended, `changed` is published anew by --accept. */
export type Judgement = { readonly worse: readonly Problem[]; readonly changed: readonly Problem[] };

export function judgeFigures(
  measured: readonly Measured[],
  published: Figures,
  known: readonly KnownFalsePositive[],
): Judgement {
  const before = new Map(published.corpora.map((figure) => [figure.name, figure]));
  const worse = measured.flatMap((corpus) => [
    ...newFalsePositives(corpus, known),
    ...lowerDetection(corpus, before.get(corpus.name)),
    ...fewerTexts(corpus, before.get(corpus.name)),
  ]);
  const changed = measured.flatMap((corpus) => differences(corpus, before.get(corpus.name)));
  return { worse: [...worse, ...tooLoud(measured), ...needlessEntries(measured, known)], changed };
}

const same = (one: Found, other: Found): boolean =>
  one.corpus === other.corpus && one.digest === other.digest && one.rules.join() === other.rules.join();

function newFalsePositives({ name, falsePositives }: Measured, known: readonly KnownFalsePositive[]): Problem[] {
  return falsePositives
    .filter((found) => !known.some((entry) => same(entry, found)))
    .map(({ id, digest, rules }) => ({
      corpus: name,
      code: 'CLY_CORPORA_FALSE_POSITIVE',
      message: `${rules.join(', ')} in the harmless text ${id} (SHA-256 ${digest}): narrow the rule, or name the text with a reason in known-false-positives.json`,
    }));
}

function lowerDetection(now: Measured, before: Figure | undefined): Problem[] {
  if (before === undefined || now.kind === 'harmless') return [];
  return (['strict', 'any'] as const)
    .filter((grade) => now[grade] < before[grade])
    .map((grade) => ({
      corpus: now.name,
      code: 'CLY_CORPORA_DETECTION',
      message: `${now[grade]} of ${now.texts} attacks are found (${grade}), ${before[grade]} are published: a rule finds less than it did`,
    }));
}

function fewerTexts(now: Measured, before: Figure | undefined): Problem[] {
  if (now.texts === 0)
    return [{ corpus: now.name, code: 'CLY_CORPORA_EMPTY', message: 'holds no text: nothing was measured' }];
  if (before === undefined || now.texts >= before.texts) return [];
  const message = `holds ${now.texts} texts, ${before.texts} are published: the source lost some, or its reader misses them; if that is right, take the row out of figures.json and --accept`;
  return [{ corpus: now.name, code: 'CLY_CORPORA_FEWER', message }];
}

function tooLoud(measured: readonly Measured[]): Problem[] {
  const { texts, strict, share } = harmlessSum(measured);
  if (share <= FALSE_POSITIVE_SHARE_MAX) return [];
  const message = `strict packs find something in ${strict} of ${texts} harmless texts, more than ${FALSE_POSITIVE_SHARE_MAX * 100} %`;
  return [{ corpus: 'all harmless texts', code: 'CLY_CORPORA_SHARE', message }];
}

/** Of all harmless corpora; without texts everything is wrong with them. */
export function harmlessSum(figures: readonly Figure[]): { texts: number; strict: number; share: number } {
  const harmless = figures.filter(({ kind, part }) => kind === 'harmless' && part !== true);
  const sum = (member: 'texts' | 'strict'): number => harmless.reduce((total, figure) => total + figure[member], 0);
  const [texts, strict] = [sum('texts'), sum('strict')];
  return { texts, strict, share: texts === 0 ? 1 : strict / texts };
}

/** An entry that nothing needs would hide the next mistake in the same text. */
function needlessEntries(measured: readonly Measured[], known: readonly KnownFalsePositive[]): Problem[] {
  const names = new Set(measured.map(({ name }) => name));
  const found = measured.flatMap(({ falsePositives }) => falsePositives);
  return known
    .filter((entry) => names.has(entry.corpus) && !found.some((one) => same(entry, one)))
    .map(({ corpus, id, digest }) => ({
      corpus,
      code: 'CLY_CORPORA_NEEDLESS',
      message: `${id} (SHA-256 ${digest}) is no false positive any more: take it out of known-false-positives.json`,
    }));
}

function differences({ falsePositives: _, ...now }: Measured, before: Figure | undefined): Problem[] {
  const told = (figure: Figure): string =>
    `${figure.side}, ${figure.texts} texts, strict ${figure.strict}, any ${figure.any}`;
  if (before !== undefined && told(before) === told(now)) return [];
  const message = `${told(now)}; published: ${before === undefined ? 'nothing' : told(before)}`;
  return [{ corpus: now.name, code: 'CLY_CORPORA_CHANGED', message }];
}
