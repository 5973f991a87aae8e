// SPDX-License-Identifier: Apache-2.0
import { EFFECTS, type Effect } from './effect.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import type { DetectorRule, ExternalDetectorRule, SqlSafetyRule } from './policy-rules.ts';
import { POINTER_RULE } from './read-amount.ts';
import { type RuleScope, readRules } from './rule-scope.ts';

const DIALECTS = ['postgres', 'redshift', 'snowflake', 'databricks', 'spark', 'bigquery', 'mysql', 'tsql'];
const DIALECT_RULE = { pattern: new RegExp(`^(?:${DIALECTS.join('|')})$`), what: `one of ${DIALECTS.join(', ')}` };
const SQL_CODE_RULE = { pattern: /^CLY_SQL_[A-Z_]{1,48}$/, what: 'a code such as CLY_SQL_TRUNCATE' };
const NAME_RULE = { pattern: /^[a-z0-9][a-z0-9._/-]{0,63}$/, what: 'a name in lower case' };
const SCOPE_RULE = { pattern: /^\$[^\u0000-\u001f]{0,255}$/, what: 'a JSONPath such as $.messages[*].content' };
/** An answer that refuses must never be read as an outage, and an expired key is no reason to let things through. */
export const OUTAGES = [
  'timeout',
  'unreachable',
  'busy',
  'server_error',
  'rejected',
  'malformed',
  'breaker_open',
  'not_configured',
] as const;
export const VERDICTS = ['likely_deepfake', 'spoofed_voice', 'high_risk_bec'] as const;

export function readSqlSafety(policy: PolicyCursor, scope: RuleScope): SqlSafetyRule[] {
  return readRules(scope, {
    name: 'sql_safety',
    items: policy.items('sql_safety'),
    members: ['statement', 'dialect', 'dialect_from', 'on_unsafe', 'on_held', 'allow', 'rows_affected'],
    read: (rule, named) => {
      const dialect = rule.textOrNull('dialect', DIALECT_RULE);
      const from = rule.textOrNull('dialect_from', POINTER_RULE);
      if ((dialect === null) === (from === null)) rule.report('write either dialect or dialect_from');
      return {
        ...named,
        statement: rule.text('statement', { ...POINTER_RULE, fallback: '/sql' }),
        dialect,
        dialect_from: from,
        on_unsafe: rule.oneOf('on_unsafe', EFFECTS, 'block'),
        on_held: rule.oneOf('on_held', EFFECTS, 'hold'),
        allow: rule.textsOrNone('allow', SQL_CODE_RULE),
        rows_affected: readRows(rule),
      };
    },
  });
}

function readRows(rule: PolicyCursor): SqlSafetyRule['rows_affected'] {
  const rows = rule.member('rows_affected');
  if (rows.isAbsent() || !rows.objectOf(['value', 'max'])) return null;
  return {
    value: rows.text('value', { ...POINTER_RULE, fallback: '/rows_affected' }),
    max: rows.integer('max', { min: 0, max: 1_000_000_000 }),
  };
}

/** Findings are counted only, unless the policy says more: a pattern alone is a poor reason to refuse. */
export function readDetectors(policy: PolicyCursor, scope: RuleScope): DetectorRule[] {
  return readRules(scope, {
    name: 'detectors',
    items: policy.items('detectors'),
    members: ['packs', 'scope', 'effect', 'rules'],
    read: (rule, named) => ({
      ...named,
      packs: rule.texts('packs', NAME_RULE),
      scope: rule.textsOrNone('scope', SCOPE_RULE),
      effect: rule.oneOf('effect', EFFECTS, 'shadow'),
      rules: readEffects(rule, 'rules', { allowed: undefined, fallback: undefined }),
    }),
  });
}

export function readExternalDetectors(policy: PolicyCursor, scope: RuleScope): ExternalDetectorRule[] {
  return readRules(scope, {
    name: 'external_detectors',
    items: policy.items('external_detectors'),
    members: ['endpoint', 'media', 'deadline_ms', 'verdicts', 'on_outage'],
    read: (rule, named) => ({
      ...named,
      endpoint: rule.text('endpoint', NAME_RULE),
      media: rule.textsOrNone('media', POINTER_RULE),
      deadline_ms: rule.integer('deadline_ms', { min: 10, max: 5_000, fallback: 300 }),
      verdicts: readEffects(rule, 'verdicts', { allowed: VERDICTS, fallback: 'hold' }),
      on_outage: readEffects(rule, 'on_outage', { allowed: OUTAGES, fallback: 'hold' }),
    }),
  });
}

type EffectNames = { readonly allowed: readonly string[] | undefined; readonly fallback: Effect | undefined };

/** Effects by name. Where the names are known, every one of them has its effect in the compiled policy. */
function readEffects(rule: PolicyCursor, name: string, { allowed, fallback }: EffectNames): Record<string, Effect> {
  const effects: Record<string, Effect> = {};
  const section = rule.member(name);
  for (const [key, cursor] of rule.entries(name, { pattern: /^[a-z][a-z0-9_./-]{0,127}$/, what: 'names' })) {
    if (allowed !== undefined && !allowed.includes(key)) cursor.report(`write one of ${allowed.join(', ')}`);
    effects[key] = section.oneOf(key, EFFECTS);
  }
  if (fallback !== undefined) for (const key of allowed ?? []) effects[key] ??= fallback;
  return effects;
}
