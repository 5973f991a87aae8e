// SPDX-License-Identifier: Apache-2.0
import type { ScratchSession } from '@clyra/adapter-postgres/scratch-session';
import { relationText } from '@clyra/core/dbt/relation-name';
import type { ReplayTally } from '@clyra/core/replay/replay-tally';
import { addTo } from './dbt-inputs.ts';
import { type DbtStep, relationsOf } from './dbt-steps.ts';
import type { RebuildInputs } from './rebuild-inputs.ts';
import { refusalOf } from './refusal.ts';

export type DbtPlace = {
  readonly session: ScratchSession;
  readonly pins: { readonly clockMs: number; readonly searchPath: readonly string[] };
  readonly inputs: Pick<RebuildInputs, 'tainted' | 'excused' | 'counts'>;
  readonly tally: ReplayTally;
  /** Throws where the scratch database went over a limit. */
  check(): void;
};

/** Does one node again; returns what a test counted. */
export async function runDbtStep(step: DbtStep, place: DbtPlace): Promise<string | undefined> {
  const { session, pins, inputs, tally } = place;
  if (step.relation !== undefined && step.needsRelation && !(await session.hasRelation(step.relation))) {
    const taint = {
      code: 'CLY_REPLAY_DBT_STATE',
      first: `${step.id} changed a table that the base does not make`,
    } as const;
    addTo(inputs.tainted, relationText(step.relation), taint);
    for (const relation of step.dependants) addTo(inputs.excused, relation, taint);
    return undefined;
  }
  try {
    let answer: unknown;
    for (const text of step.texts) answer = (await session.run(text, pins)).rows[0]?.['failures'];
    return step.relation === undefined ? String(answer) : undefined;
  } catch (error) {
    place.check();
    const state = refusalOf(error);
    if (!isExcused(step, inputs)) tally.differs({ leaf: step.leaf, member: `${step.id}: refused with ${state}` });
    return undefined;
  }
}

/** What it reads was not repeated, or not as a hook left it. */
function isExcused({ id, relation }: DbtStep, { tainted, excused, counts }: DbtPlace['inputs']): boolean {
  const reads = counts.find((count) => count.id === id)?.reads ?? [];
  if (reads.some((read) => tainted.has(read) || excused.has(read))) return true;
  const own = relationsOf(relation).find((name) => excused.has(name));
  const excuse = own === undefined ? undefined : excused.get(own);
  if (own === undefined || excuse === undefined) return false;
  addTo(tainted, own, excuse);
  return true;
}
