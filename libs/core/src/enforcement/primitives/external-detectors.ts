// SPDX-License-Identifier: Apache-2.0
import { rulesFor } from '../../policy/policy.ts';
import type { ExternalDetectorRule } from '../../policy/policy-rules.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** What somebody else's detector says, or that it could not be asked; each class of outage has the effect it was given. */
export const externalDetectors: Primitive = {
  name: 'external_detectors',
  evaluate(context) {
    const rules = rulesFor(context.policy.external_detectors, context.route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    return {
      reasons: rules.flatMap((rule) => reasonsOf(context, rule)),
      fields: {
        external_detectors: (context.facts.external_detectors ?? []).map(({ id, outcome, outage }) => ({
          id,
          outcome,
          ...(outage === undefined ? {} : { outage }),
        })),
      },
    };
  },
};

function reasonsOf({ facts }: RequestContext, rule: ExternalDetectorRule): ReasonDraft[] {
  const name = `external_detectors/${rule.id}`;
  const own = (facts.external_detectors ?? []).filter((fact) => fact.id === rule.id);
  if (own.length === 0) return [block(name, 'CLY_EXTERNAL_NOT_CHECKED')];
  return own.flatMap(({ outcome, outage }): ReasonDraft[] => {
    if (outcome === 'clear') return [];
    if (outcome === 'outage') {
      const effect = rule.on_outage[outage ?? ''] ?? 'block';
      return [{ code: 'CLY_EXTERNAL_OUTAGE', effect, rule: name, detail: outage ?? 'unknown' }];
    }
    // A verdict that the policy does not know refuses: what was said must never count less than an outage.
    return [{ code: 'CLY_EXTERNAL_VERDICT', effect: rule.verdicts[outcome] ?? 'block', rule: name, detail: outcome }];
  });
}
