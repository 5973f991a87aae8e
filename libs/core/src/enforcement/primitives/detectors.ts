// SPDX-License-Identifier: Apache-2.0
import { rulesFor } from '../../policy/policy.ts';
import type { DetectorRule } from '../../policy/policy-rules.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

const CODES: Readonly<Record<string, string>> = {
  prompt_injection: 'CLY_DETECTOR_PROMPT_INJECTION',
  social_engineering: 'CLY_DETECTOR_SOCIAL_ENGINEERING',
  technical_indicator: 'CLY_DETECTOR_TECHNICAL_INDICATOR',
  secret: 'CLY_DETECTOR_SECRET',
};

/** What the patterns found counts as much as the policy says: in shadow it is only in the receipt. */
export const detectors: Primitive = {
  name: 'detectors',
  evaluate(context) {
    const rules = rulesFor(context.policy.detectors, context.route?.id ?? '');
    const facts = context.facts.detectors;
    if (facts === undefined && rules.length === 0) return NOTHING;
    const delta = facts?.prompt_delta;
    const fields = {
      ...(facts === undefined || facts.findings.length === 0
        ? {}
        : { detectors: facts.findings.map(({ rule, class: kind, count }) => ({ rule, class: kind, count })) }),
      ...(delta == null ? {} : { prompt_delta_hash: delta.hash }),
    };
    if (rules.length === 0) return Object.keys(fields).length === 0 ? NOTHING : { reasons: [], fields };
    return { reasons: rules.flatMap((rule) => reasonsOf(context, rule)), fields };
  },
};

function reasonsOf({ facts }: RequestContext, rule: DetectorRule): ReasonDraft[] {
  const name = `detectors/${rule.id}`;
  if (facts.detectors === undefined) return [block(name, 'CLY_DETECTOR_NOT_CHECKED')];
  const reasons = new Map<string, ReasonDraft>();
  for (const finding of facts.detectors.findings) {
    if (finding.detector !== rule.id) continue;
    const effect = rule.rules[finding.rule] ?? rule.effect;
    const code = CODES[finding.class] ?? 'CLY_DETECTOR_NOT_CHECKED';
    const key = `${code} ${effect}`;
    if (!reasons.has(key)) reasons.set(key, { code, effect, rule: name, detail: finding.rule });
  }
  return [...reasons.values()];
}
