// SPDX-License-Identifier: Apache-2.0
import { columnsOf, conjuncts, type Expression, type Relation } from './expression.ts';
import type { Join } from './statement.ts';

export type Keyed = 'keyed' | 'unkeyed' | 'unproved';

export type JoinGraph = {
  readonly targets: readonly Relation[];
  readonly joins: readonly Join[];
  /** Conditions that may link relations: WHERE and every ON. */
  readonly conditions: readonly Expression[];
};

/**
 * Whether equalities between columns connect every joined relation with the target. A relation that nothing connects
 * multiplies the rows, or makes every row match. Where columns are not qualified nobody can tell whose they are.
 */
export function keyedness({ targets, joins, conditions }: JoinGraph): Keyed {
  const groups = new Map<string, string>();
  const find = (name: string): string => {
    const parent = groups.get(name);
    return parent === undefined || parent === name ? name : find(parent);
  };
  const unite = (a: string, b: string): void => void groups.set(find(a), find(b));
  const names = joins.map((join) => join.relation.alias);
  const roots = targets.map((target) => rootOf(target, joins));
  for (const target of roots) unite(roots[0] as string, target);
  joins.forEach((join, index) => {
    if (join.byName) unite(join.relation.alias, index === 0 ? (roots[0] as string) : (names[index - 1] as string));
  });
  const loose = { count: 0 };
  for (const condition of conditions) {
    for (const edge of edgesOf(condition, loose)) {
      const [a, b] = edge.split('\n') as [string, string];
      unite(a, b);
    }
  }
  const connected = [...roots, ...names].every((name) => find(name) === find(roots[0] as string));
  if (connected) return 'keyed';
  return loose.count > 0 ? 'unproved' : 'unkeyed';
}

/** A target that stands in FROM again under an alias (`UPDATE x … FROM t AS x`) is that relation. */
function rootOf(target: Relation, joins: readonly Join[]): string {
  const again = joins.find(({ relation }) => relation.alias === target.alias);
  const named = joins.filter(({ relation }) => relation.name === target.name && relation.name !== '');
  return again?.relation.alias ?? (named.length === 1 ? (named[0]?.relation.alias ?? '') : target.alias);
}

function edgesOf(condition: Expression, loose: { count: number }): ReadonlySet<string> {
  if (condition.is === 'and') return new Set(condition.parts.flatMap((part) => [...edgesOf(part, loose)]));
  if (condition.is === 'or') {
    const [first, ...rest] = condition.parts.map((part) => edgesOf(part, loose));
    return new Set([...(first ?? [])].filter((edge) => rest.every((edges) => edges.has(edge))));
  }
  if (condition.is !== 'compare' || (condition.operator !== '=' && condition.operator !== '<=>')) return new Set();
  const [left, right] = [columnsOf(condition.left), columnsOf(condition.right)];
  if (left.length === 0 || right.length === 0) return new Set();
  const [a, b] = [qualifierOf(left), qualifierOf(right)];
  if (a === undefined || b === undefined) {
    loose.count += 1;
    return new Set();
  }
  return new Set(a === b ? [] : [[a, b].sort().join('\n')]);
}

function qualifierOf(columns: readonly { readonly qualifier: string | null }[]): string | undefined {
  const qualifiers = new Set(columns.map((column) => column.qualifier));
  const [only] = qualifiers;
  return qualifiers.size === 1 && only !== null ? only : undefined;
}

/** Conditions without those that compare two readings of one table by the same column, which are true for every row. */
export function withoutSelfLinks(condition: Expression, relations: readonly Relation[]): Expression[] {
  const nameOf = (alias: string | null): string =>
    relations.find((relation) => relation.alias === alias)?.name ?? `?${String(alias)}`;
  return conjuncts(condition).filter((part) => {
    if (part.is !== 'compare' || (part.operator !== '=' && part.operator !== '<=>')) return true;
    const { left, right } = part;
    if (left.is !== 'column' || right.is !== 'column' || left.name !== right.name) return true;
    return left.qualifier === right.qualifier || nameOf(left.qualifier) !== nameOf(right.qualifier);
  });
}
