// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

export type OrderedNode = {
  readonly id: string;
  readonly dependsOn: readonly string[];
  /** Text that sorts as the times do. */
  readonly startedAt: string;
};

/**
 * In the order of the graph; what the graph leaves open, in the order of the timings, then of the ids. A node that
 * stands in another's way only through nodes that were not run counts for nothing here: those did not change.
 * Throws CLY_DBT_CYCLE.
 */
export function orderNodes<Node extends OrderedNode>(nodes: readonly Node[]): readonly Node[] {
  const waiting = new Map(nodes.map((node) => [node.id, node]));
  const left = new Map<string, number>();
  const followers = new Map<string, Node[]>();
  for (const node of nodes) {
    const before = [...new Set(node.dependsOn)].filter((id) => waiting.has(id));
    left.set(node.id, before.length);
    for (const id of before) {
      const known = followers.get(id);
      if (known === undefined) followers.set(id, [node]);
      else known.push(node);
    }
  }
  const ready = nodes.filter(({ id }) => left.get(id) === 0);
  const ordered: Node[] = [];
  while (ready.length > 0) {
    ready.sort(later);
    const next = ready.pop() as Node;
    ordered.push(next);
    for (const follower of followers.get(next.id) ?? []) {
      const count = (left.get(follower.id) ?? 0) - 1;
      left.set(follower.id, count);
      if (count === 0) ready.push(follower);
    }
  }
  if (ordered.length === nodes.length) return ordered;
  const stuck = nodes.find(({ id }) => (left.get(id) ?? 0) > 0);
  throw new ClyraError('CLY_DBT_CYCLE', `the graph of the dbt run goes in a circle at ${stuck?.id}`, {
    retry: 'never',
  });
}

/** Descending, since the next one is taken from the end. */
function later(left: OrderedNode, right: OrderedNode): number {
  const [one, other] = [left.startedAt, right.startedAt];
  if (one !== other) return one > other ? -1 : 1;
  return left.id > right.id ? -1 : 1;
}
