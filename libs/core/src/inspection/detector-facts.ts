// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../canonical/json-value.ts';
import type { DetectorFacts } from '../change/detector-fact.ts';
import { JsonPath } from '../detectors/json-path.ts';
import type { PackShelf } from '../detectors/pack-shelf.ts';
import { type PromptMemory, promptDelta } from '../detectors/prompt-delta.ts';
import { type DetectorScope, scanValue, textValue } from '../detectors/scan-value.ts';
import { PromptTexts } from '../detectors/string-leaves.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import type { ReceivedBody } from './check-body.ts';
import type { HmacKey } from './request-signature.ts';

export type DetectorQuestion = {
  readonly policy: Policy;
  readonly routeId: string;
  readonly value: JsonValue | undefined;
  readonly body: ReceivedBody;
  readonly key: HmacKey;
  /** Of the prompt before this one in the same run, or null. */
  readonly previousPrompt: PromptMemory | null;
};

export type DetectorAnswer = { readonly facts: DetectorFacts; readonly memory: PromptMemory };

/** undefined where no rule asks, and where a pack that a rule asks for is not there: the decision refuses then. */
export function detectorFacts(question: DetectorQuestion, shelf: PackShelf): DetectorAnswer | undefined {
  const rules = question.policy.detectors.filter((rule) => appliesTo(rule, question.routeId));
  const scopes = rules.map((rule): DetectorScope | undefined => {
    const engine = shelf.engine(rule.packs);
    return engine && { id: rule.id, engine, paths: rule.scope.map((path) => new JsonPath(path)) };
  });
  if (scopes.length === 0 || scopes.includes(undefined)) return undefined;
  const { body } = question;
  const value = question.value ?? textValue(body.bytes);
  const prompt = new PromptTexts(scopes.flatMap((scope) => scope?.paths ?? []));
  const scan = scanValue(value, scopes as DetectorScope[], prompt);
  const { delta, memory } = promptDelta(prompt.texts, question.key, question.previousPrompt);
  const truncated = scan.truncated || body.tooLarge;
  return { facts: { ...scan, truncated, pack_digest: shelf.digest, prompt_delta: delta }, memory };
}
