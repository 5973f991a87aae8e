// SPDX-License-Identifier: Apache-2.0
import type { Route } from './policy.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import { ID_RULE } from './read-routes.ts';
import { isPathPattern, patternCovers } from './route-pattern.ts';

/** Facts and reasons of one request stand in one record each, so the rules that may meet on one route are bounded. */
export const RULES_PER_ROUTE_MAX = 16;

/** What the rules of a document are read against: the routes, and for an overlay the name that its rules begin with. */
export type RuleScope = {
  readonly routes: readonly Route[];
  /** null for the policy itself. */
  readonly overlay: string | null;
  /** A pattern that covers no route is an error in a policy and no more than a remark in an overlay. */
  readonly remarks: { readonly pointer: string; readonly message: string }[];
  /** Ids that a rule may name. */
  readonly schemas?: ReadonlySet<string>;
};

export const RULE_MEMBERS = ['id', 'route', 'routes'];

export type Named = { readonly id: string; readonly routes: readonly string[] };

type Section<Rule> = {
  readonly name: string;
  readonly items: readonly PolicyCursor[];
  readonly members: readonly string[];
  readonly read: (rule: PolicyCursor, named: Named) => Rule;
};

/** The rules of a section, each with an id of its own and the routes it holds on. */
export function readRules<Rule extends Named>(scope: RuleScope, section: Section<Rule>): Rule[] {
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  const rules: Rule[] = [];
  for (const [index, rule] of section.items.entries()) {
    if (!rule.objectOf([...RULE_MEMBERS, ...section.members])) continue;
    const id = readId(rule, scope, `${section.name}/${index}`);
    if (id !== '' && seen.has(id)) rule.member('id').report('another rule of this section has this id');
    seen.add(id);
    const routes = readRouteIds(rule, scope);
    countRules(rule, expand(routes, scope), { counts, what: section.name.replaceAll('_', ' ') });
    const made = section.read(rule, { id, routes });
    if (routes.length > 0) rules.push(made);
  }
  return rules;
}

function readId(rule: PolicyCursor, { overlay }: RuleScope, place: string): string {
  if (overlay === null) return rule.text('id', ID_RULE);
  return `${overlay}/${rule.text('id', { ...ID_RULE, fallback: place })}`;
}

export function countRules(
  rule: PolicyCursor,
  routeIds: Iterable<string>,
  { counts, what }: { readonly counts: Map<string, number>; readonly what: string },
): void {
  for (const id of routeIds) {
    counts.set(id, (counts.get(id) ?? 0) + 1);
    if (counts.get(id) === RULES_PER_ROUTE_MAX + 1) {
      rule.member('routes').report(`route ${id} has more than ${RULES_PER_ROUTE_MAX} ${what}`);
    }
  }
}

export function expand(routes: readonly string[], scope: RuleScope): string[] {
  return routes.includes('*') ? scope.routes.map((route) => route.id) : [...routes];
}

const ROUTE_WORDS = 'route ids, path patterns such as /refunds/*, or *';

/** Route ids; a path pattern stands for the routes it covers. `route` is one of them, `routes` a list, `*` all. */
export function readRouteIds(rule: PolicyCursor, scope: RuleScope): string[] {
  if (scope.overlay !== null && rule.member('route').isAbsent() && rule.member('routes').isAbsent()) return ['*'];
  const cursors = routeCursors(rule);
  const ids = new Set<string>();
  const seen = new Set<unknown>();
  for (const cursor of cursors) {
    if (seen.has(cursor.value)) cursor.report('this stands twice in the list');
    seen.add(cursor.value);
    for (const id of idsOf(cursor, scope)) ids.add(id);
  }
  return ids.has('*') ? ['*'] : [...ids];
}

function routeCursors(rule: PolicyCursor): readonly PolicyCursor[] {
  const one = rule.member('route');
  const many = rule.member('routes');
  if (!one.isAbsent() && !many.isAbsent()) one.report('write either route or routes');
  if (!one.isAbsent()) return [one];
  if (many.value === '*') return [many];
  if (many.isAbsent()) rule.report(`routes is missing: write a list of ${ROUTE_WORDS}`);
  const items = rule.items('routes');
  if (Array.isArray(many.value) && items.length === 0) rule.report(`routes is missing: write a list of ${ROUTE_WORDS}`);
  return items;
}

function idsOf(cursor: PolicyCursor, scope: RuleScope): readonly string[] {
  const { value } = cursor;
  if (value === '*') return ['*'];
  if (typeof value !== 'string') {
    cursor.report(`write ${ROUTE_WORDS}`);
    return [];
  }
  if (isPathPattern(value)) {
    const covered = scope.routes.filter((route) => patternCovers(value, route.path)).map((route) => route.id);
    if (covered.length > 0) return covered;
    if (scope.overlay === null) cursor.report('no route is covered by this pattern');
    else
      scope.remarks.push({
        pointer: cursor.pointer,
        message: `no route is covered by ${value}: the rule does nothing`,
      });
    return [];
  }
  if (!ID_RULE.pattern.test(value)) cursor.report(`write ${ROUTE_WORDS}`);
  else if (!scope.routes.some((route) => route.id === value)) cursor.report('no route has this id');
  return [value];
}
