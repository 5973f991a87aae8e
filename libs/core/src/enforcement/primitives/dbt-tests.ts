// SPDX-License-Identifier: Apache-2.0
import type { DbtFact } from '../../change/change-body.ts';
import type { DbtTestsRule } from '../../policy/body-rules.ts';
import { rulesFor } from '../../policy/policy.ts';
import { NOTHING, type Primitive } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** What a change rests on was tested: dbt's own results, of which no unknown word counts as passed. */
export const dbtTests: Primitive = {
  name: 'dbt_tests',
  evaluate({ facts, policy, route }) {
    const rules = rulesFor(policy.dbt_tests, route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const found = rules.map((rule) => facts.dbt_test_results?.find((fact) => fact.rule === rule.id));
    const fields = found.filter((fact) => fact !== undefined);
    return {
      reasons: rules.flatMap((rule, index) => reasonsOf(rule, found[index])),
      ...(fields.length === 0 ? {} : { fields: { dbt_test_results: fields } }),
    };
  },
};

function reasonsOf(rule: DbtTestsRule, fact: DbtFact | undefined): ReasonDraft[] {
  const reason = (code: string, detail?: string): ReasonDraft => ({
    code,
    effect: rule.effect,
    rule: `dbt_tests/${rule.id}`,
    ...(detail === undefined ? {} : { detail }),
  });
  if (fact === undefined || fact.state === 'missing') return [reason('CLY_DBT_RESULTS_MISSING')];
  if (fact.state === 'unreadable') return [reason('CLY_DBT_RESULTS_UNREADABLE')];
  const bad = fact.failed + fact.errors + fact.nodes_failed;
  const reasons: ReasonDraft[] = [];
  if (bad > rule.failures_max) reasons.push(reason('CLY_DBT_TESTS_FAILED', String(bad)));
  if (fact.passed < rule.tests_min) reasons.push(reason('CLY_DBT_TESTS_FEW', String(fact.passed)));
  if (fact.required_missing > 0) reasons.push(reason('CLY_DBT_TESTS_REQUIRED', String(fact.required_missing)));
  if (rule.warnings_max !== null && fact.warned > rule.warnings_max) {
    reasons.push(reason('CLY_DBT_TESTS_WARNED', String(fact.warned)));
  }
  return reasons;
}
