// SPDX-License-Identifier: Apache-2.0
import { appendSql, countSql, replaceSql, seedSql } from '@clyra/adapter-postgres/dbt-statements';
import { PINNED_SCHEMA } from '@clyra/adapter-postgres/scratch-database';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import type { Digest } from '@clyra/core/canonical/digest';
import type { PlannedNode } from '@clyra/core/dbt/plan-run';
import { relationText } from '@clyra/core/dbt/relation-name';
import { type Places, scratchSql } from '@clyra/core/dbt/scratch-sql';
import { seedRows } from '@clyra/core/dbt/seed-rows';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Taint } from '@clyra/core/replay/judge-rebuild';
import type { DbtKit } from '@clyra/core/replay/replay-kit';

/** One node of a dbt run to do again. */
export type DbtStep = {
  readonly id: string;
  readonly leaf: number | null;
  readonly clockMs: number;
  readonly texts: readonly string[];
  /** What it makes or changes; a test has none. */
  readonly relation: RelationName | undefined;
  /** It changes what must be there, and not make it. */
  readonly needsRelation: boolean;
  readonly dependants: readonly string[];
};

export type DbtTools = {
  readonly kit: DbtKit;
  readonly places: Places;
  readonly leaf: number | null;
  /** The bytes of that digest, if they are at hand. */
  readonly content: (digest: Digest) => Promise<Uint8Array | undefined>;
};

/** The SQL that does again what a node did, or why there is none. */
export async function dbtStep(planned: PlannedNode, tools: DbtTools): Promise<DbtStep | Taint> {
  const { node, action, startedAt, dependants } = planned;
  if ('code' in action) return { code: action.code, first: `${node.id} ${action.why}` };
  const local = (text: string): string => scratchSql(text, tools.places, PINNED_SCHEMA);
  const { relation } = node;
  const done = (texts: readonly string[], needsRelation = false): DbtStep => {
    const clockMs = Date.parse(startedAt);
    return {
      id: node.id,
      leaf: tools.leaf,
      clockMs: Number.isNaN(clockMs) ? 0 : clockMs,
      texts,
      relation,
      needsRelation,
      dependants,
    };
  };
  if (action.does === 'count') return done([countSql(local(action.sql), node)]);
  if (relation === undefined) return { code: 'CLY_REPLAY_DBT_KIND', first: `${node.id} has no relation name` };
  if (action.does === 'load') {
    const texts = await seedTexts(planned, relation, tools);
    return 'code' in texts ? texts : done(texts);
  }
  if (action.does !== 'append') return done([replaceSql(relation, action.does, local(action.sql))]);
  const recorded = await recordedStatement(node.id, tools);
  if (typeof recorded !== 'string') return recorded;
  const text = appendSql(local(action.sql), local(recorded));
  if (text !== undefined) return done([text], true);
  return { code: 'CLY_REPLAY_DBT_KIND', first: `${node.id} has a statement that reads no temporary table of dbt` };
}

async function recordedStatement(id: string, { kit, content }: DbtTools): Promise<string | Taint> {
  const digest = kit.statements.find(({ unique_id: known }) => known === id)?.sha256;
  const bytes = digest === undefined ? undefined : await content(digest);
  return bytes === undefined ? withheld(`statement ${digest ?? ''} of ${id}`) : Buffer.from(bytes).toString('utf8');
}

async function seedTexts(
  { node }: PlannedNode,
  relation: RelationName,
  { kit, content }: DbtTools,
): Promise<readonly string[] | Taint> {
  const seed = kit.seeds.find(({ unique_id: known }) => known === node.id);
  const bytes = seed === undefined ? undefined : await content(seed.sha256);
  if (seed === undefined || bytes === undefined) return withheld(`seed ${seed?.sha256 ?? ''} of ${node.id}`);
  try {
    return seedSql({ relation, columns: seed.columns, rows: seedRows(node, bytes, seed.columns) });
  } catch (error) {
    if (!(error instanceof ClyraError)) throw error;
    return { code: 'CLY_REPLAY_DBT_SEED', first: `${node.id}: ${error.message}` };
  }
}

export function withheld(first: string): Taint {
  return { code: 'CLY_REPLAY_ARTIFACT_WITHHELD', first };
}

/** `schema.name` of what a step makes, or nothing. */
export function relationsOf(relation: RelationName | undefined): readonly string[] {
  return relation === undefined ? [] : [relationText(relation)];
}
