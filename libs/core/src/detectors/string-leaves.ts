// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import type { JsonPath, Step } from './json-path.ts';

export const LEAVES_MAX = 20_000;
export const SCANNED_CHARS_MAX = 1_048_576;

/** False ends the visit. The place holds only during the call: whoever keeps it keeps a copy. */
export type SeeText = (text: string, place: readonly Step[]) => boolean;

/**
 * Every text in the value with its place; member names are texts too, at the place of their member. False if it was ended.
 * One list of steps serves all texts: a body of many small texts costs no list for each.
 */
export function visitTexts(value: JsonValue, see: SeeText): boolean {
  return visit(value, [], see);
}

function visit(value: JsonValue, place: Step[], see: SeeText): boolean {
  if (typeof value === 'string') return see(value, place);
  if (value === null || typeof value !== 'object') return true;
  if (Array.isArray(value)) return visitItems(value as readonly JsonValue[], place, see);
  const object = value as JsonObject;
  for (const name of Object.keys(object)) {
    place.push(name);
    // Short names are the schema's words; nobody hides an instruction in them.
    if (name.length > NAME_CHARS && !see(name, place)) return false;
    if (!visit(object[name] as JsonValue, place, see)) return false;
    place.pop();
  }
  return true;
}

function visitItems(items: readonly JsonValue[], place: Step[], see: SeeText): boolean {
  for (let index = 0; index < items.length; index += 1) {
    place.push(index);
    if (!visit(items[index] as JsonValue, place, see)) return false;
    place.pop();
  }
  return true;
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

/** The texts that one of some paths covers, all without paths, as long as there is room. */
export class PromptTexts {
  readonly texts: string[] = [];
  readonly #paths: readonly JsonPath[];
  #chars = 0;
  #isFull = false;

  constructor(paths: readonly JsonPath[]) {
    this.#paths = paths;
  }

  /** False where no more are taken. */
  see(text: string, place: readonly Step[]): boolean {
    if (this.#isFull) return false;
    if (this.#paths.length > 0 && !this.#paths.some((path) => path.covers(place))) return true;
    this.#chars += text.length;
    if (this.#chars > PROMPT_CHARS_MAX) this.#isFull = true;
    else this.texts.push(text);
    return !this.#isFull;
  }
}

export function coveredTexts(value: JsonValue, paths: readonly JsonPath[]): readonly string[] {
  const prompt = new PromptTexts(paths);
  visitTexts(value, (text, place) => prompt.see(text, place));
  return prompt.texts;
}
