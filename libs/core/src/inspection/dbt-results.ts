// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { DbtFact } from '../change/inspection-facts.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import { valueAt } from './json-pointer.ts';

/** dbt writes versions 4 to 6; what this reads of them has stayed the same. */
const SCHEMA_URL = /^https:\/\/schemas\.getdbt\.com\/dbt\/run-results\/v[4-6]\.json$/;
const TEST_ID = /^(?:test|unit_test)\.[A-Za-z0-9_.:-]{1,240}$/;
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9._+:-]{0,63}$/;
const RESULTS_MAX = 100_000;
const NAMED_MAX = 4;

/** dbt's word for how a test ended, and ours. What is no word of dbt's counts as an error: nothing unknown passes. */
const ENDS: Readonly<Record<string, 'passed' | 'failed' | 'errors' | 'warned' | 'skipped'>> = {
  pass: 'passed',
  success: 'passed',
  fail: 'failed',
  warn: 'warned',
  error: 'errors',
  'runtime error': 'errors',
  skipped: 'skipped',
  'no-op': 'skipped',
};

/** One fact for each `dbt_tests` rule of the route: what dbt's run_results.json says of its tests. */
export function dbtFacts(policy: Policy, routeId: string, body: JsonValue | undefined): DbtFact[] {
  return (policy.dbt_tests ?? [])
    .filter((rule) => appliesTo(rule, routeId))
    .map((rule) => ({ rule: rule.id, ...readResults(valueAt(body, rule.results), rule.required) }));
}

type Read = Omit<DbtFact, 'rule'>;

function readResults(document: JsonValue | undefined, required: readonly string[]): Read {
  if (!isJsonObject(document)) return unreadable('missing');
  const { metadata, results } = document;
  const digest = digestOf(canonicalJson(document));
  const isKnown = isJsonObject(metadata) && SCHEMA_URL.test(String(metadata['dbt_schema_version']));
  if (!isKnown || !Array.isArray(results) || results.length > RESULTS_MAX)
    return { ...unreadable('unreadable'), digest };
  const counts = { tests: 0, passed: 0, failed: 0, errors: 0, warned: 0, skipped: 0, nodes_failed: 0 };
  const failing: string[] = [];
  const passed = new Set<string>();
  for (const entry of results as readonly JsonValue[]) {
    const end = isJsonObject(entry) ? (ENDS[String(entry['status'])] ?? 'errors') : 'errors';
    const id = isJsonObject(entry) ? String(entry['unique_id']) : '';
    if (!TEST_ID.test(id)) {
      // A model that was not built leaves its tests skipped or stale, whatever they say.
      if (end === 'errors' || end === 'failed') counts.nodes_failed += 1;
      continue;
    }
    counts.tests += 1;
    counts[end] += 1;
    if (end === 'passed') passed.add(id);
    if ((end === 'failed' || end === 'errors') && failing.length < NAMED_MAX) failing.push(id);
  }
  const missing = required.filter((id) => !passed.has(id));
  return {
    state: 'read',
    digest,
    invocation_id: plain(metadata, 'invocation_id'),
    dbt_version: plain(metadata, 'dbt_version'),
    generated_at: plain(metadata, 'generated_at'),
    ...counts,
    required_missing: missing.length,
    named: [...failing, ...missing].slice(0, NAMED_MAX),
  };
}

function unreadable(state: 'missing' | 'unreadable'): Read {
  const none = { tests: 0, passed: 0, failed: 0, errors: 0, warned: 0, skipped: 0, nodes_failed: 0 };
  const nobody = { invocation_id: null, dbt_version: null, generated_at: null };
  return { state, digest: null, ...nobody, ...none, required_missing: 0, named: [] };
}

function plain(metadata: JsonObject, name: string): string | null {
  const value = metadata[name];
  return typeof value === 'string' && PLAIN.test(value) ? value : null;
}
