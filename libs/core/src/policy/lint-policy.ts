// SPDX-License-Identifier: Apache-2.0

import { compareDecimals } from './decimal-order.ts';
import { lintAdapters } from './lint-adapters.ts';
import { lintStreamed } from './lint-streamed.ts';
import type { Policy, RateLimitRule } from './policy.ts';
import type { Finding } from './policy-cursor.ts';
import { expandIds, isCoveredBy } from './rule-cover.ts';

/**
 * What compiles and is still likely to be a mistake: rules that can never matter, and places where less is checked than
 * could be. Findings name the place in the compiled policy.
 */
export function lintRules(policy: Policy): Finding[] {
  return [
    ...unusedSchemas(policy),
    ...shadowedLimits(policy),
    ...idleApprovals(policy),
    ...reviewRoutes(policy),
    ...wideRoutes(policy),
    ...wideSettings(policy),
    ...lintStreamed(policy),
    ...lintAdapters(policy),
  ];
}

function unusedSchemas(policy: Policy): Finding[] {
  const used = new Set<string | null>([
    ...policy.routes.flatMap((route) => [route.schema, route.body?.envelope ?? null, route.response?.schema ?? null]),
    ...(policy.validators ?? []).map((rule) => rule.schema),
  ]);
  return Object.keys(policy.schemas)
    .filter((id) => !used.has(id))
    .map((id) => ({
      pointer: `/schemas/${id.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      message: 'no route uses this schema',
    }));
}

/** A limit that another one always reaches first can never be what stops a request. */
function shadowedLimits(policy: Policy): Finding[] {
  return policy.rate_limits.flatMap((rule, index) => {
    const stricter = policy.rate_limits.find(
      (other, at) => at !== index && shadows(policy, { other, rule, isEarlier: at < index }),
    );
    if (stricter === undefined) return [];
    return [{ pointer: `/rate_limits/${index}`, message: `shadowed: ${stricter.id} always reaches its limit first` }];
  });
}

type Pair = { readonly other: RateLimitRule; readonly rule: RateLimitRule; readonly isEarlier: boolean };

function shadows(policy: Policy, { other, rule, isEarlier }: Pair): boolean {
  if (JSON.stringify(other.key) !== JSON.stringify(rule.key) || !isCoveredBy(policy, rule.routes, other.routes))
    return false;
  if (rule.amount !== null || rule.max_actions === null || other.max_actions === null) return false;
  if (other.window_seconds < rule.window_seconds || other.max_actions > rule.max_actions) return false;
  const equal = other.window_seconds === rule.window_seconds && other.max_actions === rule.max_actions;
  return !equal || isEarlier || !isCoveredBy(policy, other.routes, rule.routes);
}

function idleApprovals(policy: Policy): Finding[] {
  return policy.approvals.flatMap((rule, index) => {
    const idle = rule.steps.flatMap((step, at) =>
      step.quorum > rule.quorum ? [] : [{ at, message: `can never matter: ${rule.quorum} must approve anyway` }],
    );
    const findings = idle.map(({ at, message }) => ({ pointer: `/approvals/${index}/steps/${at}`, message }));
    const below = rule.steps.findIndex(({ above }) =>
      Object.entries(above).some(([currency, amount]) => {
        const limit = rule.only_above[currency];
        return limit !== undefined && compareDecimals(amount, limit) < 0;
      }),
    );
    return below < 0
      ? findings
      : [
          ...findings,
          {
            pointer: `/approvals/${index}/steps/${below}`,
            message: 'reaches below only_above, where nothing is approved',
          },
        ];
  });
}

/** Nothing is held or blocked on a route in review mode: a rule that only could do so does nothing there. */
function reviewRoutes(policy: Policy): Finding[] {
  const review = new Set(policy.routes.filter((route) => route.mode === 'review').map((route) => route.id));
  return policy.approvals.flatMap((rule, index) => {
    const routes = expandIds(policy, rule.routes);
    const idle = routes.length > 0 && routes.every((id) => review.has(id));
    return idle
      ? [{ pointer: `/approvals/${index}`, message: 'can never hold anything: its routes are in review mode' }]
      : [];
  });
}

const WRITING = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

function wideRoutes(policy: Policy): Finding[] {
  const keyed = new Set(
    policy.idempotency.filter((rule) => rule.required).flatMap(({ routes }) => expandIds(policy, routes)),
  );
  return policy.routes.flatMap((route, index) => {
    if (!WRITING.has(route.method) || route.mode === 'review') return [];
    const findings: Finding[] = [];
    const pointer = `/routes/${index}`;
    if (route.schema === null)
      findings.push({ pointer, message: 'wide: bodies of this route are not checked by a schema' });
    if (!keyed.has(route.id))
      findings.push({ pointer, message: 'wide: a repeated request makes a second effect, no key is required' });
    return findings;
  });
}

function wideSettings(policy: Policy): Finding[] {
  const findings: Finding[] = [];
  const wide = (pointer: string, message: string): void => void findings.push({ pointer, message: `wide: ${message}` });
  if (!policy.tenant_fences.cross_check)
    wide('/tenant_fences', 'tenants and actors in headers and body are not compared');
  if (policy.break_glass.allowed) wide('/break_glass', 'one operator can approve alone');
  for (const [index, rule] of policy.sql_safety.entries()) {
    if (rule.on_unsafe !== 'block') wide(`/sql_safety/${index}`, 'unsafe statements are not blocked');
  }
  for (const [index, rule] of policy.external_detectors.entries()) {
    const passing = Object.entries(rule.on_outage).filter(([, effect]) => effect === 'shadow' || effect === 'warn');
    if (passing.length > 0) {
      wide(`/external_detectors/${index}`, `requests pass during ${passing.map(([name]) => name).join(', ')}`);
    }
  }
  return findings;
}
