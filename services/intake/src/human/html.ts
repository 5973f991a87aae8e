// SPDX-License-Identifier: Apache-2.0
/** Markup that was escaped already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Fragment = string | number | Html | readonly Fragment[] | undefined;

/** A template whose values are escaped unless they are markup themselves; undefined is nothing. */
export function html(parts: TemplateStringsArray, ...values: readonly Fragment[]): Html {
  return new Html(parts.reduce((text, part, index) => `${text}${markup(values[index - 1])}${part}`));
}

function markup(value: Fragment): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(markup).join('');
  return escapeText(String(value));
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

/**
 * Code points that show nothing, or show something else than they are, from and to: controls, direction marks, odd spaces,
 * fillers, variation selectors, specials and tags. A payload must not be able to look like another one.
 */
const HIDDEN: readonly (readonly [from: number, to: number])[] = [
  [0x00, 0x08],
  [0x0b, 0x1f],
  [0x7f, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xd800, 0xdfff],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xffff],
  [0x1bca0, 0x1bca3],
  [0xe0000, 0xe0fff],
];

/** Text from outside, every hidden character shown as its code point. */
export function visible(text: string): Html {
  const pieces: string[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const isHidden = HIDDEN.some(([from, to]) => point >= from && point <= to);
    const name = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    pieces.push(isHidden ? `<span class="hidden">${name}</span>` : escapeText(character));
  }
  return new Html(pieces.join(''));
}
