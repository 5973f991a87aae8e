// SPDX-License-Identifier: Apache-2.0
import { assert } from '../../kernel/assert.ts';

export type Span = { readonly start: number; readonly end: number };

/** Where the value at a path stands in a text that the strict reader has accepted. */
export function locateValue(text: string, path: readonly string[]): Span {
  let at = skipSpace(text, 0);
  for (const step of path) at = enter(text, at, step);
  return { start: at, end: endOfValue(text, at) };
}

/** The start of a member's or an element's value. */
function enter(text: string, start: number, step: string): number {
  const isObject = text[start] === '{';
  let at = skipSpace(text, start + 1);
  for (let index = 0; ; index += 1) {
    assert(text[at] !== '}' && text[at] !== ']', 'a repaired value stands in the text');
    let name = String(index);
    if (isObject) {
      const end = endOfString(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      at = skipSpace(text, skipSpace(text, end) + 1);
    }
    if (name === step) return at;
    at = skipSpace(text, endOfValue(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== '{' && first !== '[') return endOfScalar(text, start);
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const unit = text[at];
    if (unit === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (unit === '{' || unit === '[') depth += 1;
    if (unit === '}' || unit === ']') depth -= 1;
    at += 1;
    if (depth === 0) return at;
  }
  return text.length;
}

function endOfScalar(text: string, start: number): number {
  let at = start;
  while (at < text.length && !',]} \n\r\t'.includes(text[at] as string)) at += 1;
  return at;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \n\r\t'.includes(text[at] as string)) at += 1;
  return at;
}
