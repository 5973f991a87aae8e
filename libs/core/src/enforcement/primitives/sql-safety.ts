// SPDX-License-Identifier: Apache-2.0
import { rulesFor } from '../../policy/policy.ts';
import type { SqlSafetyRule } from '../../policy/policy-rules.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** Decides on what the parsers found: a statement that was not analysed is refused, whatever it says. */
export const sqlSafety: Primitive = {
  name: 'sql_safety',
  evaluate(context) {
    const rules = rulesFor(context.policy.sql_safety, context.route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const facts = context.facts.sql ?? [];
    return {
      reasons: rules.flatMap((rule) => reasonsOf(context, rule)),
      fields: {
        sql: facts.map(({ rule, dialect, statement_digest, statement_count, verdict, codes }) => ({
          rule,
          dialect,
          statement_digest,
          statement_count,
          verdict,
          codes,
        })),
      },
    };
  },
};

function reasonsOf({ facts }: RequestContext, rule: SqlSafetyRule): ReasonDraft[] {
  const name = `sql_safety/${rule.id}`;
  const own = (facts.sql ?? []).filter((fact) => fact.rule === rule.id);
  if (own.length === 0) return [block(name, 'CLY_SQL_NOT_CHECKED')];
  const reasons = new Map<string, ReasonDraft>();
  for (const { verdict, codes } of own) {
    if (verdict === 'safe') continue;
    const effect = verdict === 'unsafe' ? rule.on_unsafe : rule.on_held;
    const counted = codes.filter((code) => !rule.allow.includes(code));
    for (const code of codes.length === 0 ? ['CLY_SQL_NOT_CHECKED'] : counted) {
      reasons.set(`${code} ${effect}`, { code, effect, rule: name });
    }
  }
  return [...reasons.values(), ...rowReasons(facts, rule)];
}

function rowReasons(facts: RequestContext['facts'], rule: SqlSafetyRule): ReasonDraft[] {
  if (rule.rows_affected === null) return [];
  const rows = facts.rows?.find((entry) => entry.rule === rule.id)?.value ?? null;
  if (rows !== null && rows <= rule.rows_affected.max) return [];
  const detail = rows === null ? 'no count of rows' : `${rows} rows`;
  return [{ code: 'CLY_SQL_ROWS', effect: rule.on_unsafe, rule: `sql_safety/${rule.id}`, detail }];
}
