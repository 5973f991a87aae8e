// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import { SQL_DIALECTS, SQL_FACTS_MAX, type SqlDialect, type SqlFact } from '../change/sql-fact.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import type { SqlSafetyRule } from '../policy/policy-rules.ts';
import { analyseSql, type SqlParsers } from '../sql/analyse-sql.ts';
import { valueAt } from './json-pointer.ts';

type Asked = { readonly policy: Policy; readonly routeId: string; readonly value: JsonValue | undefined };

/** One fact for each `sql_safety` rule of the route: a body without the statement is held like one that nobody can read. */
export function sqlFacts({ policy, routeId, value }: Asked, parsers: SqlParsers): SqlFact[] {
  const rules = policy.sql_safety.filter((rule) => appliesTo(rule, routeId)).slice(0, SQL_FACTS_MAX);
  return rules.map((rule) => sqlFact(rule, value, parsers));
}

function sqlFact(rule: SqlSafetyRule, value: JsonValue | undefined, parsers: SqlParsers): SqlFact {
  const statement = valueAt(value, rule.statement);
  const named = rule.dialect ?? valueAt(value, rule.dialect_from ?? '');
  const dialect = dialectOf(named);
  const common = { rule: rule.id, pointer: rule.statement, dialect: dialect ?? 'postgres' };
  if (typeof statement !== 'string' || dialect === undefined) {
    const digest = digestOf(typeof statement === 'string' ? statement : '');
    return { ...common, statement_digest: digest, statement_count: 0, verdict: 'held', codes: ['CLY_SQL_UNPARSED'] };
  }
  const { verdict, codes, statementCount, digest } = analyseSql(statement, dialect, parsers);
  return { ...common, statement_digest: digest, statement_count: statementCount, verdict, codes };
}

/** Redshift speaks PostgreSQL's language; what only it has is unparsed then, and held. */
function dialectOf(name: JsonValue | undefined): SqlDialect | undefined {
  return name === 'redshift' ? 'postgres' : SQL_DIALECTS.find((dialect) => dialect === name);
}
