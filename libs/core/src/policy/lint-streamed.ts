// SPDX-License-Identifier: Apache-2.0
import type { Policy } from './policy.ts';
import type { Finding } from './policy-cursor.ts';
import { expandIds } from './rule-cover.ts';

const SECTIONS = ['sql_safety', 'voice', 'deploy', 'dbt_tests'] as const;

/**
 * Rules that look for one value in a body, on routes whose bodies are streamed: they see what stands around the items
 * only, and a body of lines has nothing there. Such a request is refused or held each time, which nobody means.
 */
export function lintStreamed(policy: Policy): Finding[] {
  const lines = new Set(policy.routes.filter(({ body }) => body?.form === 'ndjson').map(({ id }) => id));
  if (lines.size === 0) return [];
  const message = 'can never be met: a body of lines has no single value to look at';
  const touches = (routes: readonly string[]): boolean => expandIds(policy, routes).some((id) => lines.has(id));
  const found = SECTIONS.flatMap((section) =>
    (policy[section] ?? []).flatMap((rule, index) =>
      touches(rule.routes) ? [{ pointer: `/${section}/${index}`, message }] : [],
    ),
  );
  const keyed = policy.rate_limits.flatMap((rule, index) =>
    typeof rule.key === 'object' && touches(rule.routes) ? [{ pointer: `/rate_limits/${index}/key`, message }] : [],
  );
  return [...found, ...keyed];
}
