// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../canonical/json-value.ts';
import { parseDecimal } from '../kernel/decimal.ts';
import { EFFECTS } from './effect.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import type { CostCap, KillSwitchTrigger, LoopRule } from './policy-rules.ts';
import { readAmount } from './read-amount.ts';
import { type RuleScope, readRules } from './rule-scope.ts';

const DAY_SECONDS = 86_400;
const MONTH_SECONDS = 31 * DAY_SECONDS;
const METRICS = ['error_rate', 'block_rate', 'spend'] as const;
const SCOPES = ['run', 'actor', 'route', 'tenant'] as const;
const TRIGGER_MEMBERS = [
  'metric',
  'threshold',
  'window_seconds',
  'window',
  'min_count',
  'scope',
  'action',
  'ttl_seconds',
  'ttl',
  'amount',
];
/** Of ten requests one failure is 10 %: a share of fewer than this says nothing. */
const MIN_COUNT = 20;

/** Switches that throw themselves. `kill_switch` is a list, or `{ triggers: [...] }`. */
export function readKillSwitch(policy: PolicyCursor, scope: RuleScope): KillSwitchTrigger[] {
  const section = policy.member('kill_switch');
  const nested = isJsonObject(section.value);
  if (nested) section.objectOf(['triggers']);
  const items = nested ? section.items('triggers') : policy.items('kill_switch');
  return readRules(scope, {
    name: 'kill_switch',
    items,
    members: TRIGGER_MEMBERS,
    read: (rule, named) => readTrigger(rule, named),
  });
}

function readTrigger(rule: PolicyCursor, named: { id: string; routes: readonly string[] }): KillSwitchTrigger {
  const metric = rule.oneOf('metric', METRICS);
  const threshold = rule.decimal('threshold');
  const share = parseDecimal(threshold) ?? 0n;
  if (metric !== 'spend' && (share === 0n || share > (parseDecimal('1') as bigint))) {
    rule.member('threshold').report('write a share above 0 and at most 1');
  }
  const action = rule.oneOf('action', ['block_run', 'block_actor', 'block_route', 'block_tenant'], 'block_run');
  const amount = readAmount(rule);
  if (metric === 'spend' && amount === null) rule.report('amount is missing: write where the amount stands');
  return {
    ...named,
    metric,
    threshold,
    window_seconds: rule.integer(rule.pick('window_seconds', 'window'), { min: 1, max: DAY_SECONDS }),
    min_count: rule.integer('min_count', { min: 1, max: 100_000, fallback: metric === 'spend' ? 1 : MIN_COUNT }),
    scope: rule.oneOf('scope', SCOPES, action.replace('block_', '') as (typeof SCOPES)[number]),
    ttl_seconds: rule.integer(rule.pick('ttl_seconds', 'ttl'), { min: 1, max: 7 * DAY_SECONDS, fallback: 300 }),
    amount: metric === 'spend' ? amount : null,
  };
}

const LOOP_MEMBERS = [
  'window_seconds',
  'actions_per_minute',
  'identical_repeats',
  'ping_pong',
  'cool_off_seconds',
  'effect',
];

/** Agents that go round in circles: too many actions, the same one again and again, two that answer each other. */
export function readLoopBreaker(policy: PolicyCursor, scope: RuleScope): LoopRule[] {
  return readRules(scope, {
    name: 'loop_breaker',
    items: policy.items('loop_breaker'),
    members: LOOP_MEMBERS,
    read: (rule, named) => {
      const limit = (name: string, max: number): number | null =>
        rule.member(name).isAbsent() ? null : rule.integer(name, { min: 2, max });
      const limits = {
        actions_per_minute: limit('actions_per_minute', 100_000),
        identical_repeats: limit('identical_repeats', 32),
        ping_pong: limit('ping_pong', 16),
      };
      if (Object.values(limits).every((value) => value === null)) {
        rule.report('write actions_per_minute, identical_repeats or ping_pong');
      }
      return {
        ...named,
        window_seconds: rule.integer('window_seconds', { min: 1, max: DAY_SECONDS, fallback: 60 }),
        ...limits,
        cool_off_seconds: rule.integer('cool_off_seconds', { min: 1, max: DAY_SECONDS, fallback: 300 }),
        effect: rule.oneOf('effect', EFFECTS, 'block'),
      };
    },
  });
}

export function readCostCaps(policy: PolicyCursor, scope: RuleScope): CostCap[] {
  return readRules(scope, {
    name: 'cost_caps',
    items: policy.items('cost_caps'),
    members: ['scope', 'amount', 'per_action', 'max', 'window_seconds'],
    read: (rule, named) => {
      const amount = readAmount(rule);
      const perAction = rule.decimal('per_action', '0');
      if (amount === null && perAction === '0') rule.report('write amount or per_action: what an action costs');
      return {
        ...named,
        scope: rule.oneOf('scope', ['run', 'tenant'], 'run'),
        amount,
        per_action: perAction,
        max: rule.decimal('max'),
        window_seconds: rule.integer('window_seconds', { min: 60, max: MONTH_SECONDS, fallback: DAY_SECONDS }),
      };
    },
  });
}
