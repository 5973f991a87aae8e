// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../canonical/json-value.ts';
import { type DetectorFacts, type DetectorFinding, FINDINGS_MAX } from '../change/detector-fact.ts';
import type { DetectorEngine, Match } from './detector-engine.ts';
import type { JsonPath, Step } from './json-path.ts';
import { LEAVES_MAX, type PromptTexts, pointerTo, SCANNED_CHARS_MAX, visitTexts } from './string-leaves.ts';

/** One `detectors` rule of the policy, ready to scan: an engine of its packs, and where it looks. */
export type DetectorScope = {
  readonly id: string;
  readonly engine: DetectorEngine;
  /** Empty means everywhere. */
  readonly paths: readonly JsonPath[];
};

export type Scan = Omit<DetectorFacts, 'prompt_delta' | 'pack_digest'>;

/** Scans every text of the value once for each scope that covers it; the prompt sees what it wants on the same way. */
export function scanValue(value: JsonValue, scopes: readonly DetectorScope[], prompt?: PromptTexts): Scan {
  const findings = new Map<string, DetectorFinding>();
  let [leaves, chars, truncated] = [0, 0, false];
  visitTexts(value, (text, place) => {
    const isWanted = prompt?.see(text, place) ?? false;
    leaves += 1;
    chars += text.length;
    if (leaves > LEAVES_MAX || chars > SCANNED_CHARS_MAX) {
      truncated = true;
      return isWanted;
    }
    for (const scope of scopes) {
      if (!isCovered(scope, place)) continue;
      for (const match of scope.engine.scan(text)) truncated = !note(findings, { scope, place, match }) || truncated;
    }
    return true;
  });
  return { truncated, findings: [...findings.values()] };
}

function isCovered({ paths }: DetectorScope, place: readonly Step[]): boolean {
  return paths.length === 0 || paths.some((path) => path.covers(place));
}

type Found = { readonly scope: DetectorScope; readonly place: readonly Step[]; readonly match: Match };

/** The first place of each rule is kept, with how often it was found in all. False where there is no room. */
function note(findings: Map<string, DetectorFinding>, { scope, place, match }: Found): boolean {
  const key = `${scope.id}\n${match.rule.id}`;
  const known = findings.get(key);
  if (known === undefined && findings.size >= FINDINGS_MAX) return false;
  findings.set(key, known === undefined ? firstFinding({ scope, place, match }) : { ...known, count: known.count + 1 });
  return true;
}

function firstFinding({ scope, place, match }: Found): DetectorFinding {
  const { rule, layer } = match;
  return { detector: scope.id, rule: rule.id, class: rule.class, pointer: pointerTo(place), layer, count: 1 };
}

/** What a body that is no JSON is: one text. */
export function textValue(bytes: Uint8Array): JsonValue {
  return new TextDecoder().decode(bytes.subarray(0, SCANNED_CHARS_MAX));
}
