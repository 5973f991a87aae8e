// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../../canonical/json-value.ts';
import { type DetectorFacts, type DetectorFinding, FINDINGS_MAX } from '../../change/detector-fact.ts';
import { JsonPath } from '../../detectors/json-path.ts';
import type { PackShelf } from '../../detectors/pack-shelf.ts';
import { type PromptMemory, promptDelta } from '../../detectors/prompt-delta.ts';
import { type DetectorScope, scanValue } from '../../detectors/scan-value.ts';
import { coveredTexts } from '../../detectors/string-leaves.ts';
import { appliesTo, type Policy } from '../../policy/policy.ts';
import type { DetectorAnswer } from '../detector-facts.ts';
import type { HmacKey } from '../request-signature.ts';

const PROMPT_CHARS_MAX = 65_536;

/** Detectors over the items of a body, one after the other: every item is looked at, the texts are not kept. */
export class ItemDetection {
  readonly #shelf: PackShelf;
  readonly #scopes: readonly DetectorScope[];
  readonly #findings = new Map<string, DetectorFinding>();
  readonly #texts: string[] = [];
  #chars = 0;
  #truncated = false;

  private constructor(shelf: PackShelf, scopes: readonly DetectorScope[]) {
    this.#shelf = shelf;
    this.#scopes = scopes;
  }

  /** undefined where no rule asks, and where a pack is not there: the decision refuses then. */
  static of(policy: Policy, routeId: string, shelf: PackShelf | undefined): ItemDetection | undefined {
    const rules = policy.detectors.filter((rule) => appliesTo(rule, routeId));
    if (shelf === undefined || rules.length === 0) return undefined;
    const scopes = rules.map((rule): DetectorScope | undefined => {
      const engine = shelf.engine(rule.packs);
      return engine && { id: rule.id, engine, paths: rule.scope.map((path) => new JsonPath(path)) };
    });
    return scopes.includes(undefined) ? undefined : new ItemDetection(shelf, scopes as DetectorScope[]);
  }

  look(item: JsonValue, place: string): void {
    const scan = scanValue(item, this.#scopes);
    this.#truncated ||= scan.truncated;
    for (const finding of scan.findings) this.#note(finding, place);
    if (this.#chars >= PROMPT_CHARS_MAX) return;
    for (const text of coveredTexts(
      item,
      this.#scopes.flatMap((scope) => scope.paths),
    )) {
      this.#chars += text.length;
      if (this.#chars > PROMPT_CHARS_MAX) return;
      this.#texts.push(text);
    }
  }

  answer(key: HmacKey, previous: PromptMemory | null): DetectorAnswer {
    const { delta, memory } = promptDelta(this.#texts, key, previous);
    const findings = [...this.#findings.values()];
    const facts: DetectorFacts = {
      truncated: this.#truncated,
      findings,
      pack_digest: this.#shelf.digest,
      prompt_delta: delta,
    };
    return { facts, memory };
  }

  #note(finding: DetectorFinding, place: string): void {
    const key = `${finding.detector}\n${finding.rule}`;
    const known = this.#findings.get(key);
    if (known !== undefined) this.#findings.set(key, { ...known, count: known.count + finding.count });
    else if (this.#findings.size >= FINDINGS_MAX) this.#truncated = true;
    else this.#findings.set(key, { ...finding, pointer: `${place}${finding.pointer}`.slice(0, 256) });
  }
}
