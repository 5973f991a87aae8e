// SPDX-License-Identifier: Apache-2.0
/** Letters of other scripts that look like Latin ones, as far as they are used to write Latin words unseen. */
const LOOKALIKES: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ['аàα', 'a'],
    ['вβ', 'b'],
    ['сϲ', 'c'],
    ['ԁ', 'd'],
    ['еєε', 'e'],
    ['ɡ', 'g'],
    ['һ', 'h'],
    ['іιı', 'i'],
    ['јϳ', 'j'],
    ['кκ', 'k'],
    ['ӏⅼ', 'l'],
    ['м', 'm'],
    ['ոη', 'n'],
    ['оοօσ', 'o'],
    ['рρ', 'p'],
    ['ԛ', 'q'],
    ['г', 'r'],
    ['ѕ', 's'],
    ['тτ', 't'],
    ['υս', 'u'],
    ['ѵν', 'v'],
    ['ԝω', 'w'],
    ['хχ', 'x'],
    ['уγ', 'y'],
  ].flatMap(([from, to]) => [...(from as string)].map((letter) => [letter, to as string])),
);

// Without a width or only for layout: zero width, joiners, direction marks, soft hyphen, variation selectors, tags.
const UNSEEN =
  /[\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\u{e0000}-\u{e0fff}]/gu;
const MARKS = /\p{Mn}/gu;
const OTHERS = /[^\x00-\x7f]/gu;
const BLANKS = /\s+/gu;
/** White space other than single blanks: most texts have none, and are not built anew. */
const FOLDABLE_BLANK = /\s\s|[^\S ]/u;
const ASCII = /^[\x00-\x7f]*$/;

function isAscii(text: string): boolean {
  return ASCII.test(text);
}

/**
 * The text as rules read it: compatibility forms resolved (NFKC), accents and unseen characters gone, look-alikes as the
 * letters they look like, lower case, one blank for any white space.
 */
export function foldText(text: string): string {
  if (isAscii(text)) return withSingleBlanks(text.toLowerCase());
  const folded = text
    .normalize('NFKD')
    .replace(UNSEEN, '')
    .replace(MARKS, '')
    .toLowerCase()
    .replace(OTHERS, (letter) => LOOKALIKES[letter] ?? QUOTES[letter] ?? letter);
  return withSingleBlanks(folded);
}

function withSingleBlanks(text: string): string {
  return FOLDABLE_BLANK.test(text) ? text.replace(BLANKS, ' ') : text;
}

const QUOTES: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '–': '-',
  '—': '-',
  ß: 'ss',
  ł: 'l',
  ø: 'o',
};
