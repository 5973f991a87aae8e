// SPDX-License-Identifier: Apache-2.0
import { escapeHtml, isHidden } from '@clyra/core/pages/shown-text';

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
  return escapeHtml(String(value));
}

/** Text from outside, every hidden character shown as its code point. */
export function visible(text: string): Html {
  const pieces: string[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const name = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    pieces.push(isHidden(point) ? `<span class="hidden">${name}</span>` : escapeHtml(character));
  }
  return new Html(pieces.join(''));
}
