// SPDX-License-Identifier: Apache-2.0
import { isAbsolute, join, relative, resolve } from 'node:path';
import type { SqlClient } from '@clyra/adapter-postgres/sql-client';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { readTableShape } from '@clyra/adapter-postgres/table-shape';
import { type DbtPlan, type PlannedNode, planRun } from '@clyra/core/dbt/plan-run';
import { readManifest } from '@clyra/core/dbt/read-manifest';
import { readRunResults } from '@clyra/core/dbt/read-run-results';
import { seedText } from '@clyra/core/dbt/seed-rows';
import { ClyraError } from '@clyra/core/kernel/error';
import type { DbtKit } from '@clyra/core/replay/replay-kit';
import { readIfThere } from '@clyra/runtime/whole-file';
import { readBytes } from '../policy/read-text.ts';
import { keepByDigest } from './keep-by-digest.ts';

/** Where a dbt run left what it did. */
export type DbtFolders = {
  /** With manifest.json and run_results.json. */
  readonly target: string;
  /** With the files of seeds. */
  readonly project: string;
  readonly runId: string | undefined;
};

export type DbtRun = DbtFolders & {
  readonly plan: DbtPlan;
  readonly manifest: Uint8Array;
  readonly results: Uint8Array;
};

/** Reads what dbt left. Throws CLY_CLI_FILE where it is not there, and CLY_DBT_* for what is none or of several runs. */
export async function readDbtRun(folders: DbtFolders): Promise<DbtRun> {
  const manifest = await readBytes(join(folders.target, 'manifest.json'));
  const results = await readBytes(join(folders.target, 'run_results.json'));
  return { ...folders, plan: planRun(readManifest(manifest), readRunResults(results)), manifest, results };
}

/** Every relation that the run built, and every one that it read. */
export function tablesOf({ plan }: DbtRun): readonly RelationName[] {
  return [...plan.built, ...plan.inputs].map(({ schema, name }) => ({ schema, name }));
}

/** Keeps the run's artifacts by digest, and says which they are. */
export async function dbtKit(run: DbtRun, client: SqlClient, artifacts: string): Promise<DbtKit> {
  const seeds: DbtKit['seeds'][number][] = [];
  const statements: DbtKit['statements'][number][] = [];
  // What has no file at hand is named by the replay.
  for (const planned of run.plan.nodes) {
    const { node, action } = planned;
    if ('code' in action) continue;
    if (action.does === 'load' && node.relation !== undefined) {
      const bytes = await readIfThere(within(run.project, planned, node.file));
      if (bytes === undefined) continue;
      seedText(node, bytes);
      const { columns } = await readTableShape(client, node.relation);
      seeds.push({
        unique_id: node.id,
        sha256: await keepByDigest(artifacts, bytes),
        columns: columns.map(({ name, type }) => ({ name, type })),
      });
    }
    if (action.does === 'append') {
      const bytes = await readIfThere(within(join(run.target, 'run'), planned, join(node.packageName, node.file)));
      if (bytes !== undefined) {
        statements.push({ unique_id: node.id, sha256: await keepByDigest(artifacts, bytes) });
      }
    }
  }
  return {
    manifest: await keepByDigest(artifacts, run.manifest),
    run_results: await keepByDigest(artifacts, run.results),
    run_id: run.runId ?? null,
    ...{ seeds, statements },
  };
}

/** A manifest says where files lie; it does not make this program read others than the project's. */
function within(folder: string, { node }: PlannedNode, path: string): string {
  const file = resolve(folder, path);
  const way = relative(resolve(folder), file);
  if (way !== '' && !way.startsWith('..') && !isAbsolute(way) && !isAbsolute(path)) return file;
  throw new ClyraError('CLY_DBT_ARTIFACT', `the manifest has a file outside the project for ${node.id}`, {
    retry: 'never',
  });
}
