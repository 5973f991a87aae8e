// SPDX-License-Identifier: Apache-2.0
import { rulesFor } from '../../policy/policy.ts';
import { NOTHING, type Primitive } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** Business rules: what the body must say beyond its form, each with an effect of its own. */
export const validators: Primitive = {
  name: 'validators',
  evaluate({ facts, policy, route }) {
    const rules = rulesFor(policy.validators, route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const found = rules.map((rule) => facts.validators?.find((fact) => fact.rule === rule.id));
    const reasons = rules.flatMap(({ id, effect }, index): ReasonDraft[] => {
      const fact = found[index];
      if (fact?.verdict === 'valid') return [];
      const rule = `validators/${id}`;
      if (fact?.verdict !== 'invalid') return [{ code: 'CLY_RULE_NOT_CHECKED', effect: 'block', rule }];
      const [first] = fact.errors;
      const detail = first === undefined ? {} : { detail: `${first.pointer || '/'}: ${first.rule}` };
      return [{ code: 'CLY_RULE_INVALID', effect, rule, ...detail }];
    });
    return { reasons };
  },
};
