// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { appliesTo, type RateLimitRule } from '../../policy/policy.ts';
import { block, type Finding, type Primitive, type RequestContext } from '../primitive.ts';
import type { VelocityField } from '../receipt-body.ts';
import type { StateOp, StateView } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';

type Counted = { readonly times: readonly number[]; readonly expires_at: number };

/**
 * Exact sliding windows: the times of the actions allowed in the window, at most `max_actions` of them, so that the
 * state is bounded by the policy. A returned change takes its own time out again.
 */
export const velocity: Primitive = {
  name: 'rate_limits',
  evaluate(context) {
    const rules = context.policy.rate_limits.filter((rule) => appliesTo(rule, context.route?.id ?? ''));
    const results = rules.map((rule) => count(context, rule));
    const fields = results.flatMap((result) => (result.field === undefined ? [] : [result.field]));
    const finding: Finding = {
      reasons: results.flatMap((result) => (result.reason === undefined ? [] : [result.reason])),
      spend: results.flatMap((result) => (result.spend === undefined ? [] : [result.spend])),
      spent: {
        at: context.nowMs,
        keys: results.flatMap((result) => (result.spend === undefined ? [] : [result.spend.key])),
      },
    };
    return fields.length === 0 ? finding : { ...finding, fields: { velocity: fields } };
  },
  settle({ state, spent, settlement }) {
    if (settlement !== 'returned') return [];
    return (spent['keys'] as readonly string[]).flatMap((key) => takeBack(state, key, spent['at'] as number));
  },
};

type Result = { readonly reason?: ReasonDraft; readonly field?: VelocityField; readonly spend?: StateOp };

function count(context: RequestContext, rule: RateLimitRule): Result {
  const ruleName = `rate_limits/${rule.id}`;
  const keyDigest = context.facts.velocity.find((entry) => entry.rule === rule.id)?.key_digest;
  if (keyDigest === undefined) return { reason: block(ruleName, 'CLY_VELOCITY_KEY_MISSING') };
  const key = `velocity/${rule.id}.${keyDigest}`;
  const windowMs = rule.window_seconds * 1_000;
  const counted = context.state.get(key) as Counted | undefined;
  const times = (counted?.times ?? []).filter((time) => time > context.nowMs - windowMs);
  const full = times.length >= rule.max_actions;
  const field: VelocityField = {
    rule: rule.id,
    limit: rule.max_actions,
    remaining: full ? 0 : rule.max_actions - times.length - 1,
    window_seconds: rule.window_seconds,
    reset_ms: times[0] === undefined ? windowMs : times[0] + windowMs - context.nowMs,
  };
  if (full) return { reason: block(ruleName, 'CLY_VELOCITY_EXCEEDED'), field };
  const value: JsonObject = { times: [...times, context.nowMs], expires_at: context.nowMs + windowMs };
  return { field, spend: { op: 'put', key, value } };
}

function takeBack(state: StateView, key: string, at: number): StateOp[] {
  const counted = state.get(key) as Counted | undefined;
  const index = counted?.times.lastIndexOf(at) ?? -1;
  if (counted === undefined || index < 0) return [];
  const times = counted.times.filter((_, position) => position !== index);
  return times.length === 0
    ? [{ op: 'delete', key }]
    : [{ op: 'put', key, value: { times, expires_at: counted.expires_at } }];
}
