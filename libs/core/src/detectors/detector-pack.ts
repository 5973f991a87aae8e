// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { DetectorClass } from '../change/detector-fact.ts';
import { ClyraError } from '../kernel/error.ts';
import { patternProblem } from './check-pattern.ts';

/** What a rule looks at besides words: characters that nobody sees. */
export const SIGNALS = ['tag-characters', 'bidi-override', 'zero-width-run', 'mixed-scripts'] as const;
export type Signal = (typeof SIGNALS)[number];

export type DetectorRule = {
  /** `<pack>/<rule>`. */
  readonly id: string;
  readonly class: DetectorClass;
  readonly what: string;
  readonly owasp: readonly string[];
  readonly mitre: string;
  /** One literal of each group must occur in the folded text, all of them within `within` characters. */
  readonly all: readonly (readonly string[])[];
  readonly within: number;
  /** Must match the folded text, or the text as it stands where `exact` is true. */
  readonly pattern: RegExp | null;
  readonly exact: boolean;
  /** What is matched is no finding if one of these stands in it: keys of documentation, placeholders. */
  readonly unless: readonly string[];
  readonly signal: Signal | null;
};

export type DetectorPack = {
  readonly name: string;
  readonly version: string;
  /** `shadow`: its rules are too broad for anything but being counted. */
  readonly grade: 'enforce' | 'shadow';
  readonly rules: readonly DetectorRule[];
};

const CLASSES = ['prompt_injection', 'social_engineering', 'technical_indicator', 'secret'];
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
const OWASP = /^(?:LLM(?:0[1-9]|10):2026|ASI(?:0[1-9]|10):2025|API(?:[1-9]|10):2023)$/;
const MITRE = /^(?:AML\.T\d{4}(?:\.\d{3})?|T\d{4}(?:\.\d{3})?)$/;
const LITERAL = /^[\x20-\x40\x5b-\x7e]{1,60}$/;
const RULES_MAX = 500;
const WITHIN_DEFAULT = 400;

/** Throws CLY_DETECTOR_PACK with the place in the pack and what is wrong there. */
export function readDetectorPack(document: JsonValue): DetectorPack {
  const pack = objectAt(document, 'pack');
  if (pack['format'] !== 'clyra/detector-pack/v0') throw problem('format', 'is not clyra/detector-pack/v0');
  const name = textAt(pack, 'name', NAME);
  const grade = pack['grade'];
  if (grade !== 'enforce' && grade !== 'shadow') throw problem('grade', 'is neither enforce nor shadow');
  const type = pack['class'];
  if (typeof type !== 'string' || !CLASSES.includes(type)) throw problem('class', `is none of ${CLASSES.join(', ')}`);
  const rules = pack['rules'];
  if (!Array.isArray(rules) || rules.length === 0 || rules.length > RULES_MAX)
    throw problem('rules', `are not 1 to ${RULES_MAX}`);
  const read = (rules as readonly JsonValue[]).map((rule, index) =>
    readRule(objectAt(rule, `rules[${index}]`), name, type as DetectorClass),
  );
  const ids = new Set(read.map((rule) => rule.id));
  if (ids.size !== read.length) throw problem('rules', 'have an id twice');
  return { name, version: textAt(pack, 'version', /^[0-9]+(?:\.[0-9]+){0,2}$/), grade, rules: read };
}

function readRule(rule: JsonObject, pack: string, type: DetectorClass): DetectorRule {
  const id = `${pack}/${textAt(rule, 'id', NAME)}`;
  const known = new Set(['id', 'what', 'owasp', 'mitre', 'all', 'within', 'pattern', 'exact', 'unless', 'signal']);
  for (const member of Object.keys(rule)) if (!known.has(member)) throw problem(id, `has an unknown member ${member}`);
  const all = listAt(rule, 'all', id).map((group) => readGroup(group, id));
  const signal = SIGNALS.find((one) => one === rule['signal']) ?? null;
  if (rule['signal'] !== undefined && signal === null)
    throw problem(id, `has a signal that is none of ${SIGNALS.join(', ')}`);
  if (all.length === 0 && signal === null)
    throw problem(id, 'has neither literals nor a signal: a pattern alone would be tried on every text');
  const owasp = listAt(rule, 'owasp', id);
  if (!owasp.every((code) => typeof code === 'string' && OWASP.test(code)))
    throw problem(id, 'has an OWASP id without a known edition');
  const within = rule['within'] ?? WITHIN_DEFAULT;
  if (!Number.isSafeInteger(within) || (within as number) < 1) throw problem(id, 'within is no number of characters');
  return {
    id,
    class: type,
    what: textAt(rule, 'what', /^.{5,200}$/),
    owasp: owasp as readonly string[],
    mitre: textAt(rule, 'mitre', MITRE),
    all,
    within: within as number,
    pattern: readPattern(rule['pattern'], id),
    exact: rule['exact'] === true,
    unless: rule['unless'] === undefined ? [] : readGroup(rule['unless'], id),
    signal,
  };
}

function readGroup(group: JsonValue, id: string): readonly string[] {
  const literals = Array.isArray(group) ? (group as readonly JsonValue[]) : [];
  const bad = literals.length === 0 || literals.some((one) => typeof one !== 'string' || !LITERAL.test(one));
  if (bad) throw problem(id, 'literals are 1 to 60 characters of ASCII in lower case');
  return literals as readonly string[];
}

function readPattern(pattern: JsonValue | undefined, id: string): RegExp | null {
  if (pattern === undefined) return null;
  if (typeof pattern !== 'string') throw problem(id, 'pattern is no text');
  const wrong = patternProblem(pattern);
  if (wrong !== undefined) throw problem(id, `pattern ${wrong}`);
  return new RegExp(pattern, 'u');
}

function objectAt(value: JsonValue, place: string): JsonObject {
  if (!isJsonObject(value)) throw problem(place, 'is not an object');
  return value;
}

function textAt(object: JsonObject, name: string, form: RegExp): string {
  const value = object[name];
  if (typeof value !== 'string' || !form.test(value)) throw problem(name, 'is missing or not of the right form');
  return value;
}

function listAt(object: JsonObject, name: string, place: string): readonly JsonValue[] {
  const value = object[name] ?? [];
  if (!Array.isArray(value)) throw problem(place, `${name} is not a list`);
  return value as readonly JsonValue[];
}

function problem(place: string, what: string): ClyraError {
  return new ClyraError('CLY_DETECTOR_PACK', `correct the detector pack: ${place} ${what}`, { retry: 'never' });
}
