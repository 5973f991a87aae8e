// SPDX-License-Identifier: Apache-2.0
import type { DbtTestsRule, ValidatorRule } from './body-rules.ts';
import { EFFECTS } from './effect.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import { type RuleScope, readRules } from './rule-scope.ts';

const POINTER_RULE = {
  pattern: /^(?:\/(?:[^~/]|~[01]){0,128}){1,16}$/,
  what: 'a JSON pointer such as /dbt/run_results',
};
const TEST_RULE = { pattern: /^[A-Za-z0-9_.:-]{1,255}$/, what: 'the unique id of a dbt test' };
const ID_WORDS = { pattern: /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/, what: 'the id of a schema' };

export function readValidators(policy: PolicyCursor, scope: RuleScope): ValidatorRule[] {
  return readRules(scope, {
    name: 'validators',
    items: policy.items('validators'),
    members: ['schema', 'effect'],
    read: (rule, named) => {
      const schema = rule.text('schema', ID_WORDS);
      if (schema !== '' && scope.schemas?.has(schema) === false) rule.member('schema').report('no schema has this id');
      return { ...named, schema, effect: rule.oneOf('effect', EFFECTS, 'block') };
    },
  });
}

export function readDbtTests(policy: PolicyCursor, scope: RuleScope): DbtTestsRule[] {
  return readRules(scope, {
    name: 'dbt_tests',
    items: policy.items('dbt_tests'),
    members: ['results', 'tests_min', 'failures_max', 'warnings_max', 'required', 'effect'],
    read: (rule, named) => ({
      ...named,
      results: rule.text('results', POINTER_RULE),
      tests_min: rule.integer('tests_min', { min: 0, max: 100_000, fallback: 1 }),
      failures_max: rule.integer('failures_max', { min: 0, max: 100_000, fallback: 0 }),
      warnings_max: rule.member('warnings_max').isAbsent()
        ? null
        : rule.integer('warnings_max', { min: 0, max: 100_000 }),
      required: rule.textsOrNone('required', TEST_RULE),
      effect: rule.oneOf('effect', EFFECTS, 'block'),
    }),
  });
}
