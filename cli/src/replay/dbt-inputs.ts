// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import { parseArtifact } from '@clyra/core/dbt/dbt-artifact';
import { type DbtPlan, type PlannedNode, planRun } from '@clyra/core/dbt/plan-run';
import { readManifest } from '@clyra/core/dbt/read-manifest';
import { readRunResults } from '@clyra/core/dbt/read-run-results';
import { relationText } from '@clyra/core/dbt/relation-name';
import { type Places, placesOf } from '@clyra/core/dbt/scratch-sql';
import { DbtBinding } from '@clyra/core/replay/dbt-binding';
import type { ExpectedCount, Taint } from '@clyra/core/replay/judge-rebuild';
import type { DbtKit, ReplayKit } from '@clyra/core/replay/replay-kit';
import type { ReplayTally } from '@clyra/core/replay/replay-tally';
import { type DbtStep, type DbtTools, dbtStep, relationsOf, withheld } from './dbt-steps.ts';

export type OpenedDbtRun = { readonly plan: DbtPlan; readonly places: Places; readonly binding: DbtBinding };

/** Reads both artifacts. Throws CLY_DBT_* for what is none, or not of one run. */
export async function openDbtRun(kit: DbtKit, content: DbtTools['content']): Promise<OpenedDbtRun | Taint> {
  const [manifestBytes, resultBytes] = [await content(kit.manifest), await content(kit.run_results)];
  if (resultBytes === undefined) return withheld(`run_results.json ${kit.run_results}`);
  if (manifestBytes === undefined) return withheld(`manifest.json ${kit.manifest}`);
  const manifest = readManifest(manifestBytes);
  const plan = planRun(manifest, readRunResults(resultBytes));
  const binding = new DbtBinding({
    invocationId: plan.invocationId,
    files: new Set([kit.manifest, kit.run_results]),
    results: digestOf(canonicalJson(parseArtifact(resultBytes, 'run-results').root)),
  });
  return { plan, places: placesOf(manifest), binding };
}

export type DbtInputs = { readonly steps: readonly DbtStep[]; readonly counts: readonly ExpectedCount[] };

type Order = {
  readonly kit: ReplayKit & { readonly dbt: DbtKit };
  readonly content: DbtTools['content'];
  readonly tally: ReplayTally;
  /** Relations that are not compared, and such as need not come out as they were; added to. */
  readonly tainted: Map<string, Taint>;
  readonly excused: Map<string, Taint>;
};

/** The steps of a dbt run, and what the run's artifacts and the bundle leave open. */
export async function dbtInputs({ plan, places, binding }: OpenedDbtRun, order: Order): Promise<DbtInputs> {
  const { kit, content, tally } = order;
  const leaf = binding.order ?? null;
  nameAlterations({ plan, binding }, tally);
  nameHooks(plan, order);
  const expected = new Set(kit.expected.map(relationText));
  for (const relation of plan.built.map(relationText)) {
    if (!expected.has(relation)) tally.missing('CLY_REPLAY_NOTHING_EXPECTED', relation);
  }
  const steps: DbtStep[] = [];
  const counts: ExpectedCount[] = [];
  for (const planned of plan.nodes) {
    const step = await dbtStep(planned, { kit: kit.dbt, places, leaf, content });
    if ('code' in step) {
      notRepeated(planned, step, order);
      continue;
    }
    if (!binding.binds(digestOf(sqlOf(planned)))) tally.missing('CLY_REPLAY_DBT_UNBOUND', step.id);
    steps.push(step);
    const { action } = planned;
    if ('failures' in action)
      counts.push({ id: step.id, count: String(action.failures), leaf, reads: readBy(planned, plan) });
  }
  return { steps, counts };
}

function nameAlterations({ plan, binding }: Pick<OpenedDbtRun, 'plan' | 'binding'>, tally: ReplayTally): void {
  for (const id of plan.altered) {
    tally.differs({ leaf: binding.order ?? null, member: `${id}: manifest and run results hold different SQL` });
  }
  const { contradiction } = binding;
  if (contradiction === undefined) return;
  const member = `dbt_test_results: the results of invocation ${plan.invocationId} were others`;
  tally.differs({ leaf: contradiction, member });
}

/** What a hook did stands in no artifact: what it may have touched is compared, and need not come out. */
function nameHooks({ operations, nodes, built }: DbtPlan, { tally, excused }: Order): void {
  const excuse = (id: string, relations: readonly string[]): void => {
    tally.missing('CLY_REPLAY_DBT_HOOK', id);
    for (const relation of relations) addTo(excused, relation, { code: 'CLY_REPLAY_DBT_HOOK', first: id });
  };
  for (const id of operations) excuse(id, built.map(relationText));
  for (const { node, dependants } of nodes) {
    if (node.hasHooks) excuse(node.id, [...relationsOf(node.relation), ...dependants]);
  }
}

function notRepeated({ node, dependants }: PlannedNode, taint: Taint, { kit, tally, tainted, excused }: Order): void {
  const own = relationsOf(node.relation);
  for (const relation of own) addTo(tainted, relation, taint);
  for (const relation of dependants) addTo(excused, relation, taint);
  // A relation that the kit expects is named where it is compared.
  if (!kit.expected.some((relation) => own.includes(relationText(relation)))) tally.missing(taint.code, taint.first);
}

export function addTo(taints: Map<string, Taint>, relation: string, taint: Taint): void {
  if (!taints.has(relation)) taints.set(relation, taint);
}

function sqlOf({ action }: PlannedNode): string {
  return 'sql' in action ? action.sql : '';
}

/** What a test looks at, as `schema.name`. */
function readBy({ node }: PlannedNode, { nodes }: DbtPlan): readonly string[] {
  return nodes
    .filter(({ node: { id } }) => node.dependsOn.includes(id))
    .flatMap(({ node: { relation } }) => relationsOf(relation));
}
