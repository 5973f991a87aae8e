// SPDX-License-Identifier: Apache-2.0
import type { ApprovalRule, GuardedSource, IdempotencyRule, RateLimitRule, TenantFences } from './policy.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import { ID_RULE, RELATION_RULE } from './read-routes.ts';

/** Facts and reasons of one request stand in one record each, so the rules that may meet on one route are bounded. */
const RULES_PER_ROUTE_MAX = 16;
const POINTER_RULE = { pattern: /^(?:\/(?:[^~/]|~[01]){1,128}){1,16}$/, what: 'a JSON pointer such as /account/id' };
const COUNTED_BY = ['actor', 'tenant', 'route'] as const;
const DAY_SECONDS = 86_400;

type RouteIds = ReadonlySet<string>;

export function readIdempotency(policy: PolicyCursor, routeIds: RouteIds): IdempotencyRule[] {
  const covered = new Set<string>();
  return policy.items('idempotency').map((rule) => {
    rule.objectOf(['routes', 'required', 'ttl_seconds']);
    const routes = readRouteIds(rule, routeIds);
    for (const id of expand(routes, routeIds)) {
      if (covered.has(id)) rule.member('routes').report(`route ${id} has an idempotency rule already`);
      covered.add(id);
    }
    return {
      routes,
      required: rule.flag('required', true),
      ttl_seconds: rule.integer('ttl_seconds', { min: 1, max: 30 * DAY_SECONDS, fallback: DAY_SECONDS }),
    };
  });
}

export function readRateLimits(policy: PolicyCursor, routeIds: RouteIds): RateLimitRule[] {
  const counts = new Map<string, number>();
  const cursors = policy.items('rate_limits');
  const rules = cursors.map((rule) => {
    rule.objectOf(['id', 'routes', 'key', 'window_seconds', 'max_actions']);
    const routes = readRouteIds(rule, routeIds);
    countRules(rule, expand(routes, routeIds), { counts, what: 'rate limits' });
    return {
      id: rule.text('id', ID_RULE),
      routes,
      key: readKey(rule),
      window_seconds: rule.integer('window_seconds', { min: 1, max: DAY_SECONDS }),
      max_actions: rule.integer('max_actions', { min: 1, max: 100_000 }),
    };
  });
  refuseRepeatedIds(cursors);
  return rules;
}

type RuleCounts = { readonly counts: Map<string, number>; readonly what: string };

function countRules(rule: PolicyCursor, routeIds: Iterable<string>, { counts, what }: RuleCounts): void {
  for (const id of routeIds) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    if (counts.get(id) === RULES_PER_ROUTE_MAX + 1) {
      rule.member('routes').report(`route ${id} has more than ${RULES_PER_ROUTE_MAX} ${what}`);
    }
  }
}

function readKey(rule: PolicyCursor): RateLimitRule['key'] {
  const key = rule.member('key');
  if (typeof key.value !== 'object' || key.isAbsent()) return rule.oneOf('key', COUNTED_BY, 'actor');
  key.objectOf(['body']);
  return { body: key.text('body', POINTER_RULE) };
}

export function readFences(policy: PolicyCursor): TenantFences {
  const fences = policy.member('tenant_fences');
  if (fences.isAbsent()) return { cross_check: true, body_tenant: null, body_actor: null };
  fences.objectOf(['cross_check', 'body_tenant', 'body_actor']);
  return {
    cross_check: fences.flag('cross_check', true),
    body_tenant: fences.textOrNull('body_tenant', POINTER_RULE),
    body_actor: fences.textOrNull('body_actor', POINTER_RULE),
  };
}

export function readApprovals(policy: PolicyCursor, routeIds: RouteIds): ApprovalRule[] {
  const counts = new Map<string, number>();
  const cursors = policy.items('approvals');
  const rules = cursors.map((rule) => {
    rule.objectOf(['id', 'routes']);
    const routes = readRouteIds(rule, routeIds);
    countRules(rule, expand(routes, routeIds), { counts, what: 'approvals' });
    return { id: rule.text('id', ID_RULE), routes };
  });
  refuseRepeatedIds(cursors);
  return rules;
}

export function readGuarded(policy: PolicyCursor): GuardedSource[] {
  const seen = new Set<string>();
  return policy.items('guarded').map((source) => {
    source.objectOf(['source_id', 'relations']);
    const sourceId = source.text('source_id', ID_RULE);
    if (seen.has(sourceId)) source.member('source_id').report('this source stands twice');
    seen.add(sourceId);
    return { source_id: sourceId, relations: source.texts('relations', RELATION_RULE) };
  });
}

function refuseRepeatedIds(rules: readonly PolicyCursor[]): void {
  const seen = new Set<unknown>();
  for (const rule of rules) {
    const id = rule.member('id');
    if (!id.isAbsent() && seen.has(id.value)) id.report('another rule of this section has this id');
    seen.add(id.value);
  }
}

function readRouteIds(rule: PolicyCursor, routeIds: RouteIds): string[] {
  if (rule.member('routes').value === '*') return ['*'];
  const ids = rule.texts('routes', { pattern: /^(?:\*|[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127})$/, what: 'route ids or *' });
  for (const item of rule.items('routes')) {
    if (typeof item.value === 'string' && item.value !== '*' && !routeIds.has(item.value)) {
      item.report('no route has this id');
    }
  }
  return ids;
}

function expand(routes: readonly string[], routeIds: RouteIds): Iterable<string> {
  return routes.includes('*') ? routeIds : routes;
}
