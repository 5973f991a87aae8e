// SPDX-License-Identifier: Apache-2.0
import type { DetectorLayer } from '../change/detector-fact.ts';
import { decodeLayers } from './decode-layers.ts';
import type { DetectorPack, DetectorRule } from './detector-pack.ts';
import { foldText } from './fold-text.ts';
import { LiteralFinder, type LiteralHits } from './literal-finder.ts';
import { hasSignal } from './signals.ts';

export type Match = { readonly rule: DetectorRule; readonly layer: DetectorLayer };

/** A rule with its literals as numbers of the finder. */
type Prepared = { readonly rule: DetectorRule; readonly groups: readonly (readonly number[])[] };

/** A text as it is searched and as it stands, with the literals in it. */
type Searched = { readonly searched: string; readonly exact: string; readonly hits: LiteralHits };

/** A shorter text has nothing encoded in it. */
const SHOWS_ALL_CHARS = 24;
const NO_MATCHES: readonly Match[] = [];

/**
 * All rules of some packs, ready to be asked about texts. A text in which no literal occurs costs one pass; patterns run
 * only where the literals of their rule do.
 */
export class DetectorEngine {
  readonly #finder: LiteralFinder;
  readonly #byFirst = new Map<number, Prepared[]>();
  readonly #signals: readonly DetectorRule[];

  constructor(packs: readonly DetectorPack[]) {
    const numbers = new Map<string, number>();
    const numberOf = (literal: string): number => {
      const number = numbers.get(literal) ?? numbers.size;
      numbers.set(literal, number);
      return number;
    };
    const rules = packs.flatMap((pack) => pack.rules);
    for (const rule of rules) {
      const prepared: Prepared = { rule, groups: rule.all.map((group) => group.map(numberOf)) };
      for (const number of prepared.groups[0] ?? []) {
        this.#byFirst.set(number, [...(this.#byFirst.get(number) ?? []), prepared]);
      }
    }
    this.#signals = rules.filter((rule) => rule.signal !== null);
    this.#finder = new LiteralFinder([...numbers.keys()]);
  }

  /** Each rule at most once for each text. */
  scan(text: string): readonly Match[] {
    const hits = this.#finder.findInAscii(text);
    const layers = text.length > SHOWS_ALL_CHARS ? decodeLayers(text, hits !== undefined) : [];
    // Most texts: nothing to be made of them.
    if (hits?.size === 0 && layers.length === 0) return NO_MATCHES;
    const found = new Map<string, Match>();
    const add = (rules: readonly DetectorRule[], layer: DetectorLayer): void => {
      for (const rule of rules) if (!found.has(rule.id)) found.set(rule.id, { rule, layer });
    };
    if (hits !== undefined) add(this.#matching({ searched: text, exact: text, hits }), 'plain');
    else {
      add(this.#matchingIn(foldText(text), text), 'folded');
      add(
        this.#signals.filter((rule) => hasSignal(text, rule.signal as NonNullable<typeof rule.signal>)),
        'hidden',
      );
    }
    for (const { layer, text: decoded } of layers) add(this.#matchingIn(foldText(decoded), decoded), layer);
    return [...found.values()];
  }

  #matchingIn(searched: string, exact: string): readonly DetectorRule[] {
    return this.#matching({ searched, exact, hits: this.#finder.find(searched) });
  }

  #matching({ searched, exact, hits }: Searched): readonly DetectorRule[] {
    if (hits.size === 0) return [];
    const candidates = this.#candidates(hits);
    if (candidates.length === 0) return [];
    let folded: string | undefined;
    return candidates.flatMap(({ rule, groups }) => {
      if (!occurTogether(groups, hits, rule.within)) return [];
      if (rule.pattern === null) return [rule];
      folded ??= foldText(searched);
      return matches(rule, rule.exact ? exact : folded) ? [rule] : [];
    });
  }

  /** Rules of each group of which a literal occurs, by what occurs first. */
  #candidates(hits: LiteralHits): readonly Prepared[] {
    const candidates: Prepared[] = [];
    for (const number of hits.keys()) {
      for (const prepared of this.#byFirst.get(number) ?? []) {
        const isOne = prepared.groups.every((group) => group.some((one) => hits.has(one)));
        if (isOne && !candidates.includes(prepared)) candidates.push(prepared);
      }
    }
    return candidates;
  }
}

function occurTogether(groups: readonly (readonly number[])[], hits: LiteralHits, within: number): boolean {
  const positions = groups.map((group) => group.flatMap((number) => hits.get(number) ?? []));
  const [first = [], ...others] = positions;
  return first.some((at) => others.every((some) => some.some((other) => Math.abs(other - at) <= within)));
}

function matches({ pattern, unless }: DetectorRule, text: string): boolean {
  if (unless.length === 0) return pattern?.test(text) === true;
  const found = pattern?.exec(text)?.[0].toLowerCase();
  return found !== undefined && !unless.some((word) => found.includes(word));
}
