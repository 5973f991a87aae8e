// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { DECIMAL } from '../kernel/decimal.ts';

export type Finding = { readonly pointer: string; readonly message: string };

export type TextRule = { readonly pattern: RegExp; readonly what: string; readonly fallback?: string };
export type IntegerRule = { readonly min: number; readonly max: number; readonly fallback?: number };

const ITEMS_MAX = 1_000;
const DECIMAL_WORDS = 'a decimal such as 1000.00, not negative, with at most 18 digits before the point';

/** RFC 6901 §3. */
export function pointerTo(parent: string, name: string | number): string {
  return `${parent}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * A place in a policy document. Its readers note what is wrong and go on with a harmless value, so that one run
 * finds every problem; the result is used only if there is none.
 */
export class PolicyCursor {
  readonly value: JsonValue | undefined;
  readonly pointer: string;
  readonly #findings: Finding[];

  constructor(value: JsonValue | undefined, pointer: string, findings: Finding[]) {
    this.value = value;
    this.pointer = pointer;
    this.#findings = findings;
  }

  report(message: string): void {
    this.#findings.push({ pointer: this.pointer, message });
  }

  isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  member(name: string): PolicyCursor {
    const object: JsonObject = isJsonObject(this.value) ? this.value : {};
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    return new PolicyCursor(value, pointerTo(this.pointer, name), this.#findings);
  }

  /** True for an object; members outside `names` are reported one by one. */
  objectOf(names: readonly string[]): boolean {
    if (!isJsonObject(this.value)) {
      this.report('write a mapping here');
      return false;
    }
    for (const name of Object.keys(this.value)) {
      if (!names.includes(name)) this.member(name).report(`unknown key; the keys here are ${names.join(', ')}`);
    }
    return true;
  }

  /** The items of a list member; an absent one is empty. */
  items(name: string): PolicyCursor[] {
    const list = this.member(name);
    if (list.isAbsent()) return [];
    if (!Array.isArray(list.value)) {
      list.report('write a list here');
      return [];
    }
    if (list.value.length > ITEMS_MAX) {
      list.report(`at most ${ITEMS_MAX} entries are allowed`);
      return [];
    }
    const values = list.value as readonly JsonValue[];
    return values.map((item, index) => new PolicyCursor(item, pointerTo(list.pointer, index), this.#findings));
  }

  text(name: string, rule: TextRule): string {
    const member = this.member(name);
    if (member.isAbsent()) return rule.fallback ?? this.#missing(name, rule.what, '');
    if (typeof member.value === 'string' && rule.pattern.test(member.value)) return member.value;
    member.report(`write ${rule.what}`);
    return rule.fallback ?? '';
  }

  textOrNull(name: string, rule: TextRule): string | null {
    return this.member(name).isAbsent() ? null : this.text(name, rule);
  }

  oneOf<Word extends string>(name: string, words: readonly Word[], fallback?: Word): Word {
    const member = this.member(name);
    const what = `one of ${words.join(', ')}`;
    if (member.isAbsent()) return fallback ?? this.#missing(name, what, words[0] as Word);
    if (words.includes(member.value as Word)) return member.value as Word;
    member.report(`write ${what}`);
    return fallback ?? (words[0] as Word);
  }

  integer(name: string, rule: IntegerRule): number {
    const member = this.member(name);
    const what = `an integer from ${rule.min} to ${rule.max}`;
    if (member.isAbsent()) return rule.fallback ?? this.#missing(name, what, rule.min);
    const value = member.value;
    if (Number.isSafeInteger(value) && (value as number) >= rule.min && (value as number) <= rule.max) {
      return value as number;
    }
    member.report(`write ${what}`);
    return rule.min;
  }

  flag(name: string, fallback: boolean): boolean {
    const member = this.member(name);
    if (member.isAbsent()) return fallback;
    if (typeof member.value !== 'boolean') member.report('write true or false');
    return member.value === true;
  }

  /** The first of these names that stands here; the first of all where none does. */
  pick(...names: readonly [string, ...string[]]): string {
    return names.find((name) => !this.member(name).isAbsent()) ?? names[0];
  }

  /** A decimal amount as text; a YAML number is taken as it is written. */
  decimal(name: string, fallback?: string): string {
    const member = this.member(name);
    if (member.isAbsent()) return fallback ?? this.#missing(name, DECIMAL_WORDS, '0');
    const text = typeof member.value === 'number' ? String(member.value) : member.value;
    if (typeof text === 'string' && DECIMAL.test(text)) return text;
    member.report(`write ${DECIMAL_WORDS}`);
    return fallback ?? '0';
  }

  /** A mapping whose names fit the pattern; absent is empty. */
  entries(name: string, rule: TextRule): [string, PolicyCursor][] {
    const member = this.member(name);
    if (member.isAbsent()) return [];
    if (!isJsonObject(member.value) || Object.keys(member.value).length > ITEMS_MAX) {
      member.report(`write a mapping from ${rule.what}, with at most ${ITEMS_MAX} entries`);
      return [];
    }
    return Object.keys(member.value).map((key) => {
      if (!rule.pattern.test(key)) member.member(key).report(`write ${rule.what}`);
      return [key, member.member(key)];
    });
  }

  /** A list of different texts; an absent one is empty. */
  textsOrNone(name: string, rule: TextRule): string[] {
    return this.member(name).isAbsent() || this.items(name).length === 0 ? [] : this.texts(name, rule);
  }

  /** A non-empty list of different texts. */
  texts(name: string, rule: TextRule): string[] {
    const items = this.items(name);
    const seen = new Set<string>();
    for (const item of items) {
      if (typeof item.value !== 'string' || !rule.pattern.test(item.value)) item.report(`write ${rule.what}`);
      else if (seen.has(item.value)) item.report('this stands twice in the list');
      else seen.add(item.value);
    }
    if (items.length === 0) this.#missing(name, `a list of ${rule.what}`, '');
    return [...seen];
  }

  #missing<Value>(name: string, what: string, value: Value): Value {
    this.report(`${name} is missing: write ${what}`);
    return value;
  }
}
