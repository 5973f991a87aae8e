// SPDX-License-Identifier: Apache-2.0
import { appliesTo } from '../../policy/policy.ts';
import type { Primitive } from '../primitive.ts';

/** A route that asks for a human's approval holds every request; nothing is spent while it is held. */
export const approval: Primitive = {
  name: 'approvals',
  evaluate({ policy, route }) {
    const rules = policy.approvals.filter((rule) => appliesTo(rule, route?.id ?? ''));
    return {
      reasons: rules.map((rule) => ({
        code: 'CLY_APPROVAL_REQUIRED',
        effect: 'hold' as const,
        rule: `approvals/${rule.id}`,
      })),
    };
  },
};
