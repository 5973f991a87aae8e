// SPDX-License-Identifier: Apache-2.0
import { returnApproval } from '../approvals/lift-holds.ts';
import { requirementsOf } from '../approvals/requirement.ts';
import type { Primitive } from '../primitive.ts';

/**
 * A request that the policy lets people approve is held, and nothing is spent meanwhile. What lifts a hold, this one or
 * another primitive's, is in `approvals/lift-holds.ts`.
 */
export const approval: Primitive = {
  name: 'approvals',
  evaluate({ policy, route, facts }) {
    return {
      reasons: requirementsOf(policy, route?.id ?? '', facts).map(({ rule }) => ({
        code: 'CLY_APPROVAL_REQUIRED',
        effect: 'hold' as const,
        rule,
      })),
    };
  },
  settle({ state, spent, settlement }) {
    return settlement === 'returned' ? returnApproval(state, spent) : [];
  },
};
