// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { dbtFacts } from '../inspection/dbt-results.ts';
import { compilePolicy } from '../policy/compile-policy.ts';
import { loadPolicy } from '../policy/load-policy.ts';
import type { RequestContext } from './primitive.ts';
import { dbtTests } from './primitives/dbt-tests.ts';
import { schemaLock } from './primitives/schema-lock.ts';
import { validators } from './primitives/validators.ts';

const { bytes, digest } = compilePolicy(`
name: p
schemas: { s: { type: object } }
routes: [{ id: r, method: POST, path: /r, upstream: u, schema: s, body: { form: ndjson } }]
validators: [{ id: v, routes: [r], schema: s, effect: hold }]
dbt_tests: [{ id: d, routes: [r], results: /dbt, tests_min: 2, warnings_max: 0, required: [test.p.must], effect: block }]
`);
const { policy } = loadPolicy(bytes, digest);
const [route] = policy.routes;

const METADATA = {
  dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v6.json',
  dbt_version: '1.10.1',
  invocation_id: 'a-b',
};
const test = (id: string, status: string): object => ({ unique_id: `test.p.${id}`, status });
const run = (...results: readonly object[]): object => ({ metadata: METADATA, results });
const GOOD = run(test('must', 'pass'), test('b', 'success'), { unique_id: 'model.p.m', status: 'success' });

function context(facts: object): RequestContext {
  return {
    facts: { schema: { id: 's', verdict: 'valid', errors: [] }, content: 'ok', ...facts },
    policy,
    route,
  } as unknown as RequestContext;
}

describe('dbt tests as a condition', () => {
  const reasons = (dbt: unknown): string[] => {
    const facts = dbtFacts(policy, 'r', { dbt } as never);
    return dbtTests.evaluate(context({ dbt_test_results: facts })).reasons.map(({ code }) => code);
  };

  it('lets go on what was tested, and says so in the receipt', () => {
    expect(reasons(GOOD)).toEqual([]);
    const [fact] = dbtFacts(policy, 'r', { dbt: GOOD } as never);
    expect(fact).toMatchObject({ state: 'read', tests: 2, passed: 2, dbt_version: '1.10.1', invocation_id: 'a-b' });
    expect(dbtTests.evaluate(context({ dbt_test_results: [fact] })).fields).toEqual({ dbt_test_results: [fact] });
  });

  it.each([
    ['nothing', undefined, ['CLY_DBT_RESULTS_MISSING']],
    ['another document', { metadata: METADATA }, ['CLY_DBT_RESULTS_UNREADABLE']],
    [
      'a version nobody knows',
      { ...run(), metadata: { ...METADATA, dbt_schema_version: 'https://schemas.getdbt.com/dbt/run-results/v7.json' } },
      ['CLY_DBT_RESULTS_UNREADABLE'],
    ],
    ['a failed test', run(test('must', 'pass'), test('b', 'pass'), test('c', 'fail')), ['CLY_DBT_TESTS_FAILED']],
    ['an error', run(test('must', 'pass'), test('b', 'pass'), test('c', 'runtime error')), ['CLY_DBT_TESTS_FAILED']],
    ['a word nobody knows', run(test('must', 'pass'), test('b', 'pass'), test('c', 'fine')), ['CLY_DBT_TESTS_FAILED']],
    [
      'a model that was not built',
      run(test('must', 'pass'), test('b', 'pass'), { unique_id: 'model.p.m', status: 'error' }),
      ['CLY_DBT_TESTS_FAILED'],
    ],
    ['too few', run(test('must', 'pass')), ['CLY_DBT_TESTS_FEW']],
    [
      'a required test that was skipped',
      run(test('must', 'skipped'), test('a', 'pass'), test('b', 'pass')),
      ['CLY_DBT_TESTS_REQUIRED'],
    ],
    ['a warning', run(test('must', 'pass'), test('a', 'pass'), test('b', 'warn')), ['CLY_DBT_TESTS_WARNED']],
  ])('stops %s', (_, dbt, codes) => {
    expect(reasons(dbt)).toEqual(codes);
  });

  it('stops a request about which nothing was found out', () => {
    expect(dbtTests.evaluate(context({})).reasons).toMatchObject([
      { code: 'CLY_DBT_RESULTS_MISSING', effect: 'block' },
    ]);
  });
});

describe('business rules', () => {
  it.each([
    [{ validators: [{ rule: 'v', verdict: 'valid', errors: [] }] }, []],
    [
      { validators: [{ rule: 'v', verdict: 'invalid', errors: [{ pointer: '/a', rule: 'maximum' }] }] },
      [{ code: 'CLY_RULE_INVALID', effect: 'hold', rule: 'validators/v', detail: '/a: maximum' }],
    ],
    [
      { validators: [{ rule: 'v', verdict: 'not_checked', errors: [] }] },
      [{ code: 'CLY_RULE_NOT_CHECKED', effect: 'block' }],
    ],
    [{}, [{ code: 'CLY_RULE_NOT_CHECKED', effect: 'block' }]],
  ])('%j', (facts, reasons) => {
    expect(validators.evaluate(context(facts)).reasons).toMatchObject(reasons);
  });
});

describe('SchemaLock', () => {
  it('blocks a streamed route whose items nobody has looked at', () => {
    expect(schemaLock.evaluate(context({})).reasons).toMatchObject([{ code: 'CLY_SCHEMA_NOT_CHECKED' }]);
    expect(schemaLock.evaluate(context({ items: { form: 'ndjson', count: 1 } })).reasons).toEqual([]);
  });
});
