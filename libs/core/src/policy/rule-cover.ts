// SPDX-License-Identifier: Apache-2.0
import type { Policy } from './policy.ts';

export function expandIds(policy: Pick<Policy, 'routes'>, routes: readonly string[]): readonly string[] {
  return routes.includes('*') ? policy.routes.map((route) => route.id) : routes;
}

/** Whether every route of the first list is in the second. */
export function isCoveredBy(policy: Pick<Policy, 'routes'>, routes: readonly string[], by: readonly string[]): boolean {
  if (by.includes('*')) return true;
  return expandIds(policy, routes).every((id) => by.includes(id));
}
