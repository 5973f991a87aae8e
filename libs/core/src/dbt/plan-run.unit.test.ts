// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from '@jest/globals';
import type { JsonObject } from '../canonical/json-value.ts';
import { orderNodes } from './order-nodes.ts';
import { planRun } from './plan-run.ts';
import { readManifest } from './read-manifest.ts';
import { readRunResults } from './read-run-results.ts';

const bytes = (document: unknown): Uint8Array => Buffer.from(JSON.stringify(document));
const INVOCATION = '826b3dae-70a6-41b9-90c4-528436c7b447';
const about = (kind: string, version: string): JsonObject => ({
  dbt_schema_version: `https://schemas.getdbt.com/dbt/${kind}/${version}.json`,
  ...{ dbt_version: '1.11.16', invocation_id: INVOCATION, adapter_type: 'postgres' },
});

function node(id: string, dependsOn: readonly string[] = [], members: JsonObject = {}): JsonObject {
  const [type = '', , name = ''] = id.split('.');
  return {
    ...{ unique_id: id, resource_type: type, language: 'sql', compiled_code: `select '${name}'` },
    relation_name: type === 'test' ? null : `"shop"."mart"."${name}"`,
    depends_on: { nodes: [...dependsOn] },
    config: { materialized: 'table', ...(members['config'] as JsonObject | undefined) },
    ...Object.fromEntries(Object.entries(members).filter(([member]) => member !== 'config')),
  };
}

const manifest = (...nodes: readonly JsonObject[]): JsonObject => ({
  metadata: about('manifest', 'v12'),
  nodes: Object.fromEntries(nodes.map((one) => [String(one['unique_id']), one])),
  sources: {},
});

function result(id: string, members: JsonObject = {}): JsonObject {
  const timing = [{ name: 'execute', started_at: '2026-11-28T23:15:30.794069Z' }];
  return { unique_id: id, status: 'success', timing, adapter_response: { code: 'SELECT' }, ...members };
}

const results = (...list: readonly JsonObject[]): JsonObject => ({
  metadata: about('run-results', 'v6'),
  results: list,
});
const plan = (left: JsonObject, right: JsonObject) => planRun(readManifest(bytes(left)), readRunResults(bytes(right)));

const [A, B, C, E] = ['model.s.a', 'model.s.b', 'model.s.c', 'model.s.e'] as const;

describe('the plan of a dbt run', () => {
  it('follows the graph through ephemeral models, and says what was made of each node', () => {
    const ephemeral = node(E, [A], { config: { materialized: 'ephemeral' }, relation_name: null });
    const made = plan(
      manifest(node(C, [B]), node(B, [E]), ephemeral, node(A)),
      results(result(C), result(B), result(A)),
    );
    expect(made.nodes.map(({ node: { id }, dependants }) => [id, dependants])).toEqual([
      [A, ['mart.b', 'mart.c']],
      [B, ['mart.c']],
      [C, []],
    ]);
    expect(made.inputs).toEqual([]);
  });

  it('has what it reads and did not build as inputs, and leaves out what came to nothing', () => {
    const made = plan(manifest(node(A), node(B, [A])), results(result(A, { status: 'error' }), result(B)));
    expect(made.nodes.map(({ node: { id } }) => id)).toEqual([B]);
    expect([made.built, made.inputs].map((list) => list.map(({ name }) => name))).toEqual([['b'], ['a']]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ['is written in python', { language: 'python' }, {}],
    ['was built in part', {}, { status: 'partial success' }],
    ['has no compiled SQL', { compiled_code: null }, {}],
    ['has a contract', { config: { contract: { enforced: true } } }, {}],
    ['is materialized as materialized_view', { config: { materialized: 'materialized_view' } }, {}],
    [
      'is built in microbatches',
      { config: { materialized: 'incremental', incremental_strategy: 'microbatch' } },
      { adapter_response: { code: 'INSERT' } },
    ],
    [
      'changes its columns',
      { config: { materialized: 'incremental', on_schema_change: 'sync_all_columns' } },
      { adapter_response: { code: 'INSERT' } },
    ],
  ])('does not repeat a node that %s', (why, members, outcome) => {
    const [planned] = plan(manifest(node(A, [], members)), results(result(A, outcome))).nodes;
    expect(planned?.action).toEqual({ code: 'CLY_REPLAY_DBT_KIND', why: expect.stringContaining(why) });
  });

  it('tells an increment from a table made anew by the command that PostgreSQL ended', () => {
    const incremental = manifest(node(A, [], { config: { materialized: 'incremental' } }));
    const does = (code: string) =>
      plan(incremental, results(result(A, { adapter_response: { code } }))).nodes[0]?.action;
    expect([does('SELECT'), does('MERGE')]).toMatchObject([{ does: 'table' }, { does: 'append' }]);
  });

  it('names nodes whose artifacts hold different SQL, and operations', () => {
    const hook = node('operation.s.s-on-run-end-0', [], { relation_name: null });
    const made = plan(manifest(node(A), hook), results(result(A, { compiled_code: 'select 2' })));
    expect([made.altered, made.operations]).toEqual([[A], ['operation.s.s-on-run-end-0']]);
  });

  it('refuses a circle, whatever the timings say', () => {
    const circle = manifest(node(A, [B]), node(B, [A]), node(C));
    expect(() => plan(circle, results(result(A), result(B), result(C)))).toThrow(
      expect.objectContaining({ code: 'CLY_DBT_CYCLE' }),
    );
    const ephemeral = { config: { materialized: 'ephemeral' }, relation_name: null };
    const around = manifest(node(A, [E]), node(E, [E, A], ephemeral));
    expect(plan(around, results(result(A))).nodes).toHaveLength(1);
  });

  it.each<[string, JsonObject, JsonObject]>([
    [
      'another invocation',
      manifest(node(A)),
      { ...results(result(A)), metadata: { ...about('run-results', 'v6'), invocation_id: 'x' } },
    ],
    ['a result of no node', manifest(), results(result(A))],
    [
      'another warehouse',
      { ...manifest(node(A)), metadata: { ...about('manifest', 'v12'), adapter_type: 'snowflake' } },
      results(result(A)),
    ],
  ])('refuses %s', (_what, left, right) => {
    expect(() => plan(left, right)).toThrow(expect.objectContaining({ code: 'CLY_DBT_RUN' }));
  });
});

describe('the artifacts of a dbt run', () => {
  const whole = JSON.stringify(results(result(A)));
  it.each<[string, string]>([
    ['an unknown version', whole.replace('v6.json', 'v7.json')],
    ['a version of another kind', whole.replace('run-results/v6', 'manifest/v12')],
    ['no metadata', '{"results":[]}'],
    ['a name that stands twice', whole.replace('"status"', '"unique_id":"model.s.b","status"')],
    ['depth', whole.replace('"SELECT"', `${'['.repeat(100)}${']'.repeat(100)}`)],
    ['two results of one node', JSON.stringify(results(result(A), result(A)))],
    ['a result that is none', whole.replace(/"results":.*/, '"results":[1]}')],
    ['a text that is none', whole.replace(`"${A}"`, '{"a":1}')],
    ['bytes behind it', `${whole} 1`],
    ['nothing', ''],
  ])('are refused for %s', (_what, text) => {
    expect(() => readRunResults(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'CLY_DBT_ARTIFACT' }));
  });

  it.each<[string, JsonObject]>([
    ['a node under another id', { ...node(A), unique_id: B }],
    ['a relation name that is SQL', node(A, [], { relation_name: '"shop"."mart"."a"; drop table x' })],
    ['a relation name of two parts', node(A, [], { relation_name: '"mart"."a"' })],
    ['hooks that are no list', node(A, [], { config: { 'pre-hook': 'select 1' } })],
    ['no configuration', { ...node(A), config: null }],
    ['dependencies that are no texts', { ...node(A), depends_on: { nodes: [1] } }],
  ])('are refused for %s', (_what, wrong) => {
    const document = { ...manifest(), nodes: { [A]: wrong } };
    expect(() => readManifest(bytes(document))).toThrow(expect.objectContaining({ code: 'CLY_DBT_ARTIFACT' }));
  });
});

describe('the order of nodes', () => {
  it('is that of the timings where the graph leaves it open', () => {
    const of = (id: string, second: number, ...dependsOn: string[]) => ({
      id,
      startedAt: `2026-11-28T00:00:0${second}Z`,
      dependsOn,
    });
    const ordered = orderNodes([of('d', 1, 'a'), of('c', 2), of('a', 3), of('b', 2), of('e', 0, 'elsewhere')]);
    expect(ordered.map(({ id }) => id)).toEqual(['e', 'b', 'c', 'a', 'd']);
  });
});
