// SPDX-License-Identifier: Apache-2.0
import { ArtifactEntry, artifactError, parseArtifact } from './dbt-artifact.ts';

const INSTANT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z$/;

export type DbtResult = {
  readonly id: string;
  readonly status: string;
  readonly compiled: string | undefined;
  /** When its execution began, in UTC (`2026-11-28T23:15:30.794069Z`); empty where there was none. */
  readonly startedAt: string;
  /** PostgreSQL's command tag of the main statement. */
  readonly command: string;
  /** What a test counted. */
  readonly failures: number | undefined;
};

export type DbtRunResults = {
  readonly invocationId: string;
  readonly dbtVersion: string;
  readonly results: readonly DbtResult[];
};

/** Throws CLY_DBT_ARTIFACT for bytes that are no run_results.json of the known version. */
export function readRunResults(bytes: Uint8Array): DbtRunResults {
  const { root, metadata } = parseArtifact(bytes, 'run-results');
  const about = new ArtifactEntry('run-results', 'metadata', metadata);
  const results = new ArtifactEntry('run-results', 'document', root).entries('results').map(readResult);
  if (new Set(results.map(({ id }) => id)).size < results.length) {
    throw artifactError('run-results', 'a node has two results');
  }
  return { invocationId: about.text('invocation_id'), dbtVersion: about.text('dbt_version'), results };
}

function readResult(result: ArtifactEntry): DbtResult {
  const execution = result.entries('timing').find((timing) => timing.optionalText('name') === 'execute');
  const failures = result.raw('failures');
  const startedAt = execution?.optionalText('started_at') ?? '';
  return {
    id: result.text('unique_id'),
    status: result.text('status'),
    compiled: result.optionalText('compiled_code'),
    startedAt: INSTANT.test(startedAt) ? startedAt : '',
    command: result.has('adapter_response') ? commandOf(result.entry('adapter_response')) : '',
    failures: Number.isSafeInteger(failures) ? (failures as number) : undefined,
  };
}

function commandOf(response: ArtifactEntry): string {
  const code = response.raw('code');
  return typeof code === 'string' ? code : '';
}
