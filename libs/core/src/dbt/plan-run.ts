// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';
import { actionOf, type DbtAction, hasEffect, type NotRepeated } from './node-action.ts';
import { orderNodes } from './order-nodes.ts';
import type { DbtManifest, DbtNode } from './read-manifest.ts';
import type { DbtResult, DbtRunResults } from './read-run-results.ts';
import { type RenderedRelation, relationText } from './relation-name.ts';

export type PlannedNode = {
  readonly node: DbtNode;
  /** In UTC, or empty. */
  readonly startedAt: string;
  readonly action: DbtAction | NotRepeated;
  /** Relations that were made of this one in the same run, directly or through others, as `schema.name`. */
  readonly dependants: readonly string[];
};

export type DbtPlan = {
  readonly invocationId: string;
  /** What left something or counted something, in the order in which it was done. */
  readonly nodes: readonly PlannedNode[];
  /** Unique ids of what ran before and after the nodes; its SQL stands in no artifact. */
  readonly operations: readonly string[];
  /** Unique ids of nodes whose two artifacts say different things. */
  readonly altered: readonly string[];
  readonly built: readonly RenderedRelation[];
  /** What the nodes read and the run did not build. */
  readonly inputs: readonly RenderedRelation[];
};

/** What a dbt run did. Throws CLY_DBT_RUN where the artifacts are not of one run, and CLY_DBT_CYCLE. */
export function planRun(manifest: DbtManifest, run: DbtRunResults): DbtPlan {
  if (manifest.adapter !== 'postgres')
    throw runError(`it is a run on ${manifest.adapter}: only PostgreSQL is repeated`);
  if (manifest.invocationId !== run.invocationId)
    throw runError('manifest and run results are of different invocations');
  const found = run.results.filter(hasEffect).flatMap((result) => {
    const node = manifest.nodes.get(result.id);
    if (node === undefined) throw runError(`${result.id} has a result and is not in the manifest`);
    return node.type === 'operation' ? [] : [{ node, result }];
  });
  const ordered = orderNodes(
    found.map(({ node, result }) => ({
      ...{ id: node.id, startedAt: result.startedAt, node, result },
      dependsOn: parentsOf(node, manifest).map(({ id }) => id),
    })),
  );
  const built = new Map(ordered.flatMap(({ node }) => (node.relation === undefined ? [] : [[node.id, node.relation]])));
  const dependants = dependantsOf(ordered);
  return {
    invocationId: run.invocationId,
    nodes: ordered.map(({ node, result, startedAt }) => ({
      ...{ node, startedAt, action: actionOf(node, result) },
      dependants: [...(dependants.get(node.id) ?? [])],
    })),
    operations: [...manifest.nodes.values()].filter(({ type }) => type === 'operation').map(({ id }) => id),
    altered: found.filter(isAltered).map(({ node }) => node.id),
    built: distinct([...built.values()]),
    inputs: distinct(
      ordered
        .flatMap(({ node }) => parentsOf(node, manifest))
        .flatMap(({ id, relation }) => (relation === undefined || built.has(id) ? [] : [relation])),
    ),
  };
}

type Found = { readonly node: DbtNode; readonly result: DbtResult };

function isAltered({ node, result }: Found): boolean {
  return node.compiled !== undefined && result.compiled !== undefined && node.compiled !== result.compiled;
}

/** The nodes that it reads; an ephemeral one stands in its reader's own SQL, so that its parents count instead. */
function parentsOf(node: DbtNode, { nodes }: DbtManifest): readonly DbtNode[] {
  const found = new Map<string, DbtNode>();
  const seen = new Set<string>([node.id]);
  const waiting = [...node.dependsOn];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const parent = nodes.get(id);
    if (parent === undefined || seen.has(id)) continue;
    seen.add(id);
    if (parent.materialized === 'ephemeral') waiting.push(...parent.dependsOn);
    else found.set(id, parent);
  }
  return [...found.values()];
}

type Ordered = { readonly id: string; readonly node: DbtNode; readonly dependsOn: readonly string[] };

/** From the last to the first: each passes on to those that it reads what was made of it. */
function dependantsOf(ordered: readonly Ordered[]): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>(ordered.map(({ id }) => [id, new Set()]));
  for (const { id, node, dependsOn } of ordered.toReversed()) {
    for (const parent of dependsOn) {
      const known = found.get(parent);
      if (known === undefined) continue;
      if (node.relation !== undefined) known.add(relationText(node.relation));
      for (const relation of found.get(id) ?? []) known.add(relation);
    }
  }
  return found;
}

function distinct(relations: readonly RenderedRelation[]): readonly RenderedRelation[] {
  return [...new Map(relations.map((relation) => [relationText(relation), relation])).values()];
}

function runError(what: string): ClyraError {
  return new ClyraError('CLY_DBT_RUN', `the dbt run cannot be repeated: ${what}`, { retry: 'never' });
}
