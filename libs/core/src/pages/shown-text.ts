// SPDX-License-Identifier: Apache-2.0
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that is safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string);
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

/** Whether a code point shows nothing, or something else than it is. Tabs and line feeds are what they look like. */
export function isHidden(point: number): boolean {
  return HIDDEN.some(([from, to]) => point >= from && point <= to);
}

const ESCAPED_MAX = 0xffff;

/** Text from outside for one line of a page: what is hidden, tabs and line feeds stand as `\u202e` or `\u{e0001}`, and it is safe in HTML. */
export function visibleHtml(text: string): string {
  let shown = '';
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    shown += point < 0x20 || isHidden(point) ? escaped(point) : character;
  }
  return escapeHtml(shown);
}

function escaped(point: number): string {
  const digits = point.toString(16).padStart(4, '0');
  return point > ESCAPED_MAX ? `\\u{${digits}}` : `\\u${digits}`;
}
