// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { RouteTable } from '../../inspection/route-table.ts';
import { appliesTo, type Policy, type Route } from '../../policy/policy.ts';

/** What stands between a request and its upstream, section by section; undefined where no route matches. */
export type RouteExplained = { readonly route: Route; readonly rules: readonly ExplainedRule[] };

export type ExplainedRule = { readonly section: string; readonly id: string; readonly rule: JsonObject };

const SECTIONS = [
  'idempotency',
  'kill_switch',
  'loop_breaker',
  'sql_safety',
  'voice',
  'deploy',
  'detectors',
  'external_detectors',
  'rate_limits',
  'cost_caps',
  'approvals',
  'lineage',
] as const;

export function explainRoute(policy: Policy, method: string, path: string): RouteExplained | undefined {
  const route = new RouteTable(policy).match(method, path);
  if (route === undefined) return undefined;
  const rules = SECTIONS.flatMap((section) =>
    policy[section]
      .filter((rule) => appliesTo(rule, route.id))
      .map((rule): ExplainedRule => {
        const { id = '', routes: _routes, ...members } = rule as unknown as JsonObject;
        return { section, id: id as string, rule: members };
      }),
  );
  return { route, rules };
}
