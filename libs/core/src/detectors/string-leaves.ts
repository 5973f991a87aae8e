// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { JsonPath, Step } from './json-path.ts';

export const LEAVES_MAX = 20_000;
export const SCANNED_CHARS_MAX = 1_048_576;

export type StringLeaf = { readonly place: readonly Step[]; readonly text: string };

/** Every text in the value with its place; member names are texts too, at the place of their member. */
export function* stringLeaves(value: JsonValue, place: readonly Step[] = []): Generator<StringLeaf> {
  if (typeof value === 'string') {
    yield { place, text: value };
  } else if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly JsonValue[]).entries()) yield* stringLeaves(item, [...place, index]);
  } else if (isJsonObject(value)) {
    for (const [name, member] of Object.entries(value) as [string, JsonValue][]) {
      const inside = [...place, name];
      // Short names are the schema's words; nobody hides an instruction in them.
      if (name.length > NAME_CHARS) yield { place: inside, text: name };
      yield* stringLeaves(member, inside);
    }
  }
}

const NAME_CHARS = 32;
const OWN_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const POINTER_CHARS_MAX = 256;

/** Names that may be the caller's own text are `*`. */
export function pointerTo(place: readonly Step[]): string {
  const names = place.map((step) => (typeof step === 'number' || OWN_NAME.test(step) ? String(step) : '*'));
  return names
    .map((name) => `/${name}`)
    .join('')
    .slice(0, POINTER_CHARS_MAX);
}

/** What a prompt's delta is taken of; beyond this the rest of the texts is left out of it. */
const PROMPT_CHARS_MAX = 65_536;

/** The texts that one of the paths covers, all without paths. */
export function coveredTexts(value: JsonValue, paths: readonly JsonPath[]): string[] {
  const texts: string[] = [];
  let chars = 0;
  for (const { place, text } of stringLeaves(value)) {
    if (paths.length > 0 && !paths.some((path) => path.covers(place))) continue;
    chars += text.length;
    if (chars > PROMPT_CHARS_MAX) break;
    texts.push(text);
  }
  return texts;
}
