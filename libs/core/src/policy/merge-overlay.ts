// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { Policy } from './policy.ts';
import { type Finding, PolicyCursor } from './policy-cursor.ts';
import { type IdempotencyRule, LISTED_SECTIONS, type TenantFences } from './policy-rules.ts';
import { RULE_SECTIONS, type RuleSections, readRuleSections } from './read-policy.ts';
import { expand, RULES_PER_ROUTE_MAX, type RuleScope } from './rule-scope.ts';

/** What is added to a policy; `remarks` are no errors. */
export type Overlay = { readonly name: string; readonly findings: Finding[]; readonly remarks: Finding[] };

/**
 * A policy with an overlay's rules. An overlay adds and tightens: its rules come to those of the policy, and where
 * there can be only one the stricter of both holds. It names routes by id or by path pattern; without either it means all.
 */
export function mergeOverlay(policy: Policy, document: JsonValue, overlay: Overlay): Policy {
  const top = new PolicyCursor(document, '', overlay.findings);
  const nested = isJsonObject(document) && document['enforcement'] !== undefined;
  top.objectOf(nested ? ['name', 'enforcement'] : ['name', ...RULE_SECTIONS]);
  const cursor = nested ? top.member('enforcement') : top;
  if (nested) cursor.objectOf(RULE_SECTIONS);
  const scope: RuleScope = {
    routes: policy.routes,
    overlay: overlay.name,
    remarks: overlay.remarks,
    schemas: new Set(Object.keys(policy.schemas)),
  };
  const added = readRuleSections(cursor, scope);
  const merged: Policy = {
    ...policy,
    ...Object.fromEntries(LISTED_SECTIONS.map((name) => [name, [...policy[name], ...added[name]]])),
    idempotency: strictest(policy.idempotency, added.idempotency, scope),
    tenant_fences: fencesOf(policy.tenant_fences, added.tenant_fences, cursor.member('tenant_fences').isAbsent()),
    people: [...policy.people, ...added.people],
    lineage: [...policy.lineage, ...added.lineage],
    threat_map: [...policy.threat_map, ...added.threat_map],
    ...singles(policy, added, cursor),
    ...later(policy, added),
  };
  refuseCrowds(merged, overlay, scope);
  return merged;
}

function later(policy: Policy, added: RuleSections): Pick<Policy, 'validators' | 'dbt_tests'> {
  const validators = [...(policy.validators ?? []), ...(added.validators ?? [])];
  const dbtTests = [...(policy.dbt_tests ?? []), ...(added.dbt_tests ?? [])];
  return {
    ...(validators.length === 0 ? {} : { validators }),
    ...(dbtTests.length === 0 ? {} : { dbt_tests: dbtTests }),
  };
}

function singles(
  policy: Policy,
  added: RuleSections,
  cursor: PolicyCursor,
): Pick<Policy, 'break_glass' | 'body_storage'> {
  const glass = added.break_glass;
  const hours = Math.min(policy.break_glass.review_hours, glass.review_hours);
  return {
    break_glass: cursor.member('break_glass').isAbsent()
      ? policy.break_glass
      : { allowed: policy.break_glass.allowed && glass.allowed, review_hours: hours },
    body_storage: cursor.member('body_storage').isAbsent() ? policy.body_storage : added.body_storage,
  };
}

/** One rule a route: required if either says so, remembered for the longer time, used up by a failure if either says so. */
function strictest(
  base: readonly IdempotencyRule[],
  added: readonly IdempotencyRule[],
  scope: RuleScope,
): IdempotencyRule[] {
  const byRoute = new Map<string, Omit<IdempotencyRule, 'routes'>>();
  for (const { routes, ...rule } of [...base, ...added]) {
    for (const route of expand(routes, scope)) {
      const known = byRoute.get(route);
      byRoute.set(route, known === undefined ? rule : both(known, rule));
    }
  }
  const groups = new Map<string, { rule: Omit<IdempotencyRule, 'routes'>; routes: string[] }>();
  for (const [route, rule] of byRoute) {
    const key = `${rule.required} ${rule.ttl_seconds} ${rule.mode}`;
    const group = groups.get(key) ?? { rule, routes: [] };
    group.routes.push(route);
    groups.set(key, group);
  }
  return added.length === 0 ? [...base] : [...groups.values()].map(({ rule, routes }) => ({ routes, ...rule }));
}

type Held = Omit<IdempotencyRule, 'routes'>;

function both(one: Held, other: Held): Held {
  return {
    required: one.required || other.required,
    ttl_seconds: Math.max(one.ttl_seconds, other.ttl_seconds),
    mode: one.mode === 'single_use' || other.mode === 'single_use' ? 'single_use' : 'retry_failed',
  };
}

function fencesOf(base: TenantFences, added: TenantFences, absent: boolean): TenantFences {
  if (absent) return base;
  return {
    cross_check: base.cross_check || added.cross_check,
    body_tenant: base.body_tenant ?? added.body_tenant,
    body_actor: base.body_actor ?? added.body_actor,
    required_headers: [...new Set([...base.required_headers, ...added.required_headers])],
    privacy: base.privacy === 'hash_ids' || added.privacy === 'hash_ids' ? 'hash_ids' : 'plain',
  };
}

function refuseCrowds(policy: Policy, overlay: Overlay, scope: RuleScope): void {
  for (const name of LISTED_SECTIONS) {
    const counts = new Map<string, number>();
    for (const rule of policy[name]) {
      for (const route of expand(rule.routes, scope)) counts.set(route, (counts.get(route) ?? 0) + 1);
    }
    for (const [route, count] of counts) {
      if (count <= RULES_PER_ROUTE_MAX) continue;
      const message = `route ${route} has more than ${RULES_PER_ROUTE_MAX} ${name.replaceAll('_', ' ')}`;
      overlay.findings.push({ pointer: '', message });
    }
  }
}
