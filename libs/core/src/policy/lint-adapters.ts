// SPDX-License-Identifier: Apache-2.0
import type { Policy } from './policy.ts';
import type { Finding } from './policy-cursor.ts';
import { expandIds } from './rule-cover.ts';

/** Segment sends an event again for four hours, and no vendor gives up sooner by much. */
const RETRIES_SECONDS = 14_400;

/** Routes for deliveries that would be refused each time, or whose late retries would be new changes. */
export function lintAdapters(policy: Policy): Finding[] {
  return policy.routes.flatMap((route, index) => {
    if (route.adapter === undefined) return [];
    const pointer = `/routes/${index}/adapter`;
    const rule = policy.idempotency.find((one) => one.required && expandIds(policy, one.routes).includes(route.id));
    if (rule === undefined) {
      return [
        { pointer, message: 'can never be met: deliveries are refused without an idempotency rule with required' },
      ];
    }
    if (rule.ttl_seconds >= RETRIES_SECONDS) return [];
    return [
      {
        pointer: `/idempotency/${policy.idempotency.indexOf(rule)}`,
        message: `wide: ${route.adapter} may send a delivery again after ${rule.ttl_seconds} s, as a second change`,
      },
    ];
  });
}
