// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { decimalText, unitsOf } from '../../kernel/decimal.ts';
import { appliesTo, type RateLimitRule } from '../../policy/policy.ts';
import { countedAmount, limitFor, overLimit } from '../counted-amount.ts';
import { block, type Primitive, type RequestContext } from '../primitive.ts';
import type { VelocityField } from '../receipt-body.ts';
import type { StateOp, StateView } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';
import {
  type ActionWindow,
  isEmpty,
  type LiveActions,
  liveActions,
  NO_ACTIONS,
  withAction,
  withoutAction,
} from '../windows/action-window.ts';
import { type Amount, bucketOf, type Sums, withAmount, withoutAmount } from '../windows/sum-window.ts';

/** What is kept under a key: the exact times of the actions, and the sums of their amounts by currency. */
type Counted = ActionWindow & { readonly sums: Sums; readonly expires_at: number };

const NOTHING_COUNTED: Counted = { ...NO_ACTIONS, sums: [], expires_at: 0 };

/**
 * Sliding windows over what was allowed: counts exact, amounts in buckets that are rounded up, so that neither is ever
 * under-counted. The state is bounded by the policy. A returned change takes its own count and amount out again.
 */
export const velocity: Primitive = {
  name: 'rate_limits',
  evaluate(context) {
    const [reasons, spend, entries]: [ReasonDraft[], StateOp[], JsonObject[]] = [[], [], []];
    const fields: VelocityField[] = [];
    const routeId = context.route?.id ?? '';
    for (const rule of context.policy.rate_limits) {
      if (!appliesTo(rule, routeId)) continue;
      const result = count(context, rule);
      if (result.reasons.length > 0) reasons.push(...result.reasons);
      if (result.counted === undefined) continue;
      spend.push(...result.counted.ops, result.counted.head);
      entries.push(result.counted.spent);
      fields.push(result.counted.field);
    }
    const spent: JsonObject = { at: context.nowMs, entries };
    return fields.length === 0 ? { reasons, spend, spent } : { reasons, spend, spent, fields: { velocity: fields } };
  },
  settle({ state, spent, settlement }) {
    if (settlement !== 'returned') return [];
    const at = spent['at'] as number;
    return (spent['entries'] as readonly JsonObject[]).flatMap((entry) => {
      const id = entry['id'] as string;
      const counted = state.get(`velocity/${id}`) as Counted | undefined;
      return counted === undefined ? [] : takeBack({ state, id, counted, at, entry });
    });
  },
};

type Result = {
  readonly reasons: readonly ReasonDraft[];
  readonly counted?: Spending & { readonly field: VelocityField };
};

/** What an allowed request does to its window, and what it then holds of it. */
type Spending = { readonly ops: readonly StateOp[]; readonly head: StateOp; readonly spent: JsonObject };

const NO_REASONS: readonly ReasonDraft[] = [];

function count(context: RequestContext, rule: RateLimitRule): Result {
  const ruleName = `rate_limits/${rule.id}`;
  const keyDigest = context.facts.velocity.find((entry) => entry.rule === rule.id)?.key_digest;
  if (keyDigest === undefined) return { reasons: [block(ruleName, 'CLY_VELOCITY_KEY_MISSING')] };
  const id = `${rule.id}.${keyDigest}`;
  const key = `velocity/${id}`;
  const windowMs = rule.window_seconds * 1_000;
  const counted = (context.state.get(key) as Counted | undefined) ?? NOTHING_COUNTED;
  const live = liveActions({ state: context.state, id }, counted, context.nowMs - windowMs);
  const full = rule.max_actions !== null && live.count >= rule.max_actions;
  const amount = rule.amount === null ? undefined : countedAmount(context.facts, ruleName);
  const judged = amount === undefined ? undefined : judgeAmount(context, { rule, sums: counted.sums, amount });
  const field = fieldOf(rule, { live, full, amount: judged?.field, nowMs: context.nowMs });
  const { ops, head, spent } = spending(context, { rule, id, key, counted, amount: judged?.amount });
  const reasons: ReasonDraft[] = [];
  if (full) reasons.push(block(ruleName, 'CLY_VELOCITY_EXCEEDED'));
  if (judged?.code !== undefined) reasons.push(block(ruleName, judged.code));
  return { reasons: reasons.length === 0 ? NO_REASONS : reasons, counted: { ops, head, spent, field } };
}

type FieldInput = {
  readonly live: LiveActions;
  readonly full: boolean;
  readonly amount: VelocityField['amount'];
  readonly nowMs: number;
};

/** Members in canonical order: this is written on each request. */
function fieldOf(rule: RateLimitRule, { live, full, amount, nowMs }: FieldInput): VelocityField {
  const { id, max_actions: limit, window_seconds } = rule;
  const windowMs = window_seconds * 1_000;
  const reset_ms = live.oldest === undefined ? windowMs : live.oldest + windowMs - nowMs;
  const remaining = limit === null || full ? 0 : limit - live.count - 1;
  if (amount === undefined) {
    return limit === null
      ? { reset_ms, rule: id, window_seconds }
      : { limit, remaining, reset_ms, rule: id, window_seconds };
  }
  return limit === null
    ? { amount, reset_ms, rule: id, window_seconds }
    : { amount, limit, remaining, reset_ms, rule: id, window_seconds };
}

type Counting = {
  readonly rule: RateLimitRule;
  readonly id: string;
  readonly key: string;
  readonly counted: Counted;
  readonly amount: Amount | undefined;
};

function spending({ state, nowMs }: RequestContext, { rule, id, key, counted, amount }: Counting): Spending {
  const windowMs = rule.window_seconds * 1_000;
  const { window, ops } = withAction({ state, id }, counted, { nowMs, windowMs });
  const { times, chunks, serial } = window;
  const sums = amount === undefined ? counted.sums : withAmount(counted.sums, amount, { nowMs, windowMs });
  const expires_at = nowMs + windowMs + (rule.amount === null ? 0 : Math.ceil(windowMs / 60));
  const spent: JsonObject =
    amount === undefined
      ? { id }
      : { id, currency: amount.currency, amount: decimalText(amount.units), bucket: bucketOf(nowMs, windowMs) };
  return {
    ops,
    head: { op: 'put', key, value: { times, chunks, serial, sums, expires_at } as unknown as JsonObject },
    spent,
  };
}

type AmountJudged = {
  readonly code?: string;
  readonly amount?: Amount;
  readonly field?: NonNullable<VelocityField['amount']>;
};

type AmountCase = { readonly rule: RateLimitRule; readonly sums: Sums; readonly amount: Amount | string };

function judgeAmount({ nowMs }: RequestContext, { rule, sums, amount }: AmountCase): AmountJudged {
  if (typeof amount === 'string') return { code: amount };
  const limit = limitFor(rule.max_amount, amount.currency);
  if (limit === undefined) return { code: 'CLY_VELOCITY_CURRENCY' };
  const moment = { nowMs, windowMs: rule.window_seconds * 1_000 };
  const judged = overLimit(sums, amount, { ...moment, limit });
  if (judged === 'currencies') return { code: 'CLY_VELOCITY_CURRENCY' };
  const field = { currency: amount.currency, limit: decimalText(limit), remaining: decimalText(judged.remaining) };
  return { amount, field, ...(judged.over ? { code: 'CLY_VELOCITY_AMOUNT_EXCEEDED' } : {}) };
}

type TakeBack = {
  readonly state: StateView;
  readonly id: string;
  readonly counted: Counted;
  readonly at: number;
  readonly entry: JsonObject;
};

function takeBack({ state, id, counted, at, entry }: TakeBack): StateOp[] {
  const without = withoutAction({ state, id }, counted, at);
  if (without === undefined) return [];
  const sums =
    entry['amount'] === undefined
      ? counted.sums
      : withoutAmount(
          counted.sums,
          { currency: entry['currency'] as string, units: unitsOf(entry['amount'] as string) },
          entry['bucket'] as number,
        );
  const key = `velocity/${id}`;
  if (isEmpty(without.window)) return [...without.ops, { op: 'delete', key }];
  const value = { ...without.window, sums, expires_at: counted.expires_at };
  return [...without.ops, { op: 'put', key, value: value as unknown as JsonObject }];
}
