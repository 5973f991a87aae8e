// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { ClyraError } from '../kernel/error.ts';

/** How much a changed definition means (design classes): what people read, what the number is, or that it is gone. */
export type MetricDelta = 'C1' | 'C2' | 'C3' | 'C4';

export type MetricChange = {
  readonly metric: string;
  readonly delta: MetricDelta;
  readonly change: 'added' | 'removed' | 'changed';
  /** JSON pointers into the definition, ascending; empty where the whole is new or gone. */
  readonly paths: readonly string[];
  readonly before: Digest | null;
  readonly after: Digest | null;
};

/** They say where a definition stands or how it is shown, and nothing about the number. */
const COSMETIC = new Set([
  'created_at',
  'original_file_path',
  'path',
  'file_slice',
  'metadata',
  'package_name',
  'refs',
]);
const METADATA = new Set(['description', 'label', 'meta', 'tags', 'group', 'docs', 'config', 'unique_id']);

/**
 * Semantic drift of metric definitions between two runs, from dbt's `semantic_manifest.json` or `manifest.json`.
 * Members that nobody here knows count as meaning (C3): a new way to say what a metric is must not pass unseen.
 * Throws CLY_DIFF_METRICS for a document of another kind.
 */
export function metricDrift(before: JsonValue, after: JsonValue): readonly MetricChange[] {
  const left = metricsOf(before);
  const right = metricsOf(after);
  const names = [...new Set([...left.keys(), ...right.keys()])].sort();
  return names.flatMap((metric): MetricChange[] => {
    const [old, now] = [left.get(metric), right.get(metric)];
    const digests = { before: digestOrNull(old), after: digestOrNull(now) };
    if (old === undefined) return [{ metric, delta: 'C2', change: 'added', paths: [], ...digests }];
    if (now === undefined) return [{ metric, delta: 'C4', change: 'removed', paths: [], ...digests }];
    const paths = differences(old, now, '').sort();
    if (paths.length === 0) return [];
    const isMetadata = paths.every((path) => METADATA.has(path.split('/')[1] ?? ''));
    return [{ metric, delta: isMetadata ? 'C1' : 'C3', change: 'changed', paths, ...digests }];
  });
}

function metricsOf(document: JsonValue): ReadonlyMap<string, JsonObject> {
  const metrics = isJsonObject(document) ? document['metrics'] : undefined;
  const list = Array.isArray(metrics) ? metrics : isJsonObject(metrics) ? Object.values(metrics) : undefined;
  if (list === undefined) throw wrong('it has no `metrics`');
  const found = new Map<string, JsonObject>();
  for (const metric of list as readonly JsonValue[]) {
    if (!isJsonObject(metric) || typeof metric['name'] !== 'string') throw wrong('a metric has no name');
    const name = metric['name'];
    if (found.has(name)) throw wrong(`the metric ${name} stands twice`);
    const meaning = Object.entries(metric).filter(([member]) => !COSMETIC.has(member));
    found.set(name, Object.fromEntries(meaning));
  }
  return found;
}

function differences(before: JsonValue | undefined, after: JsonValue | undefined, path: string): string[] {
  if (before === undefined || after === undefined) return before === after || isEmpty(before ?? after) ? [] : [path];
  if (isJsonObject(before) && isJsonObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differences(before[name], after[name], `${path}/${escaped(name)}`));
  }
  return canonicalJson(before) === canonicalJson(after) ? [] : [path];
}

/** dbt writes an absent part as null, an empty list or an empty object, depending on its version. */
function isEmpty(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.values(value).every(isEmpty);
}

function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function digestOrNull(metric: JsonObject | undefined): Digest | null {
  return metric === undefined ? null : digestOf(canonicalJson(metric));
}

function wrong(what: string): ClyraError {
  return new ClyraError('CLY_DIFF_METRICS', `${what}: name a semantic_manifest.json or manifest.json of dbt`, {
    retry: 'never',
  });
}
