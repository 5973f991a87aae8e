// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** One step of a path into a JSON value: a member's name or an element's index. */
export type Step = string | number;

type Selector = { readonly deep: boolean; readonly name: Step | null };

const SEGMENT =
  /^(?:(\.\.?)([A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*|\*)|(\.\.)?\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(0|[1-9][0-9]{0,8})|(\*))\])/u;
const SEGMENTS_MAX = 32;

/**
 * The part of RFC 9535 that names places: members, elements, wildcards and descendants. Filters, slices and negative
 * indexes are refused: a scope is asked about a place, the value is never searched for it.
 */
export class JsonPath {
  readonly #selectors: readonly Selector[];

  /** Throws CLY_DETECTOR_SCOPE. */
  constructor(path: string) {
    const selectors: Selector[] = [];
    let rest = path.startsWith('$') ? path.slice(1) : '?';
    while (rest !== '') {
      const match = SEGMENT.exec(rest);
      if (match === null || selectors.length === SEGMENTS_MAX) {
        const message = `a scope is a JSONPath of names, indexes, * and .. such as $.messages[*].content, not ${path}`;
        throw new ClyraError('CLY_DETECTOR_SCOPE', message, { retry: 'never' });
      }
      selectors.push(selectorOf(match));
      rest = rest.slice(match[0].length);
    }
    this.#selectors = selectors;
  }

  /** True if the path selects the place or something that it lies in: a scope covers all that is below it. */
  covers(place: readonly Step[]): boolean {
    return this.#covers(place, 0, 0);
  }

  #covers(place: readonly Step[], at: number, index: number): boolean {
    const selector = this.#selectors[index];
    if (selector === undefined) return true;
    if (at >= place.length) return false;
    const step = place[at] as Step;
    const here = selector.name === null || selector.name === step;
    if (here && this.#covers(place, at + 1, index + 1)) return true;
    return selector.deep && this.#covers(place, at + 1, index);
  }
}

function selectorOf(match: RegExpExecArray): Selector {
  const [, dots, name, deepBracket, single, double, index, star] = match;
  const deep = dots === '..' || deepBracket === '..';
  if (name === '*' || star === '*') return { deep, name: null };
  if (index !== undefined) return { deep, name: Number(index) };
  return { deep, name: name ?? (single ?? double ?? '').replaceAll(/\\(.)/g, '$1') };
}
