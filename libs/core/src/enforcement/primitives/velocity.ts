// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { decimalText, unitsOf } from '../../kernel/decimal.ts';
import { appliesTo, type RateLimitRule } from '../../policy/policy.ts';
import { countedAmount, limitFor, overLimit } from '../counted-amount.ts';
import { block, type Finding, type Primitive, type RequestContext } from '../primitive.ts';
import type { VelocityField } from '../receipt-body.ts';
import type { StateOp, StateView } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';
import {
  type ActionWindow,
  isEmpty,
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
    for (const rule of context.policy.rate_limits) {
      if (!appliesTo(rule, context.route?.id ?? '')) continue;
      const result = count(context, rule);
      reasons.push(...result.reasons);
      if (result.spend !== undefined) spend.push(...result.spend);
      if (result.spent !== undefined) entries.push(...result.spent);
      if (result.field !== undefined) fields.push(result.field);
    }
    const finding: Finding = { reasons, spend, spent: { at: context.nowMs, entries } };
    return fields.length === 0 ? finding : { ...finding, fields: { velocity: fields } };
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
  readonly field?: VelocityField;
  readonly spend?: readonly StateOp[];
  readonly spent?: readonly JsonObject[];
};

function count(context: RequestContext, rule: RateLimitRule): Result {
  const ruleName = `rate_limits/${rule.id}`;
  const keyDigest = context.facts.velocity.find((entry) => entry.rule === rule.id)?.key_digest;
  if (keyDigest === undefined) return { reasons: [block(ruleName, 'CLY_VELOCITY_KEY_MISSING')] };
  const id = `${rule.id}.${keyDigest}`;
  const windowMs = rule.window_seconds * 1_000;
  const counted = (context.state.get(`velocity/${id}`) as Counted | undefined) ?? NOTHING_COUNTED;
  const live = liveActions({ state: context.state, id }, counted, context.nowMs - windowMs);
  const full = rule.max_actions !== null && live.count >= rule.max_actions;
  const amount = rule.amount === null ? undefined : countedAmount(context.facts, ruleName);
  const judged = amount === undefined ? undefined : judgeAmount(context, { rule, sums: counted.sums, amount });
  const reasons: ReasonDraft[] = [];
  if (full) reasons.push(block(ruleName, 'CLY_VELOCITY_EXCEEDED'));
  if (judged?.code !== undefined) reasons.push(block(ruleName, judged.code));
  const field: VelocityField = {
    rule: rule.id,
    ...(rule.max_actions === null
      ? {}
      : { limit: rule.max_actions, remaining: full ? 0 : rule.max_actions - live.count - 1 }),
    window_seconds: rule.window_seconds,
    reset_ms: live.oldest === undefined ? windowMs : live.oldest + windowMs - context.nowMs,
    ...(judged?.field === undefined ? {} : { amount: judged.field }),
  };
  return { reasons, field, ...spending(context, { rule, id, counted, amount: judged?.amount }) };
}

type Counting = {
  readonly rule: RateLimitRule;
  readonly id: string;
  readonly counted: Counted;
  readonly amount: Amount | undefined;
};

function spending({ state, nowMs }: RequestContext, { rule, id, counted, amount }: Counting): Partial<Result> {
  const windowMs = rule.window_seconds * 1_000;
  const next = withAction({ state, id }, counted, { nowMs, windowMs });
  const sums = amount === undefined ? counted.sums : withAmount(counted.sums, amount, { nowMs, windowMs });
  const value = {
    ...next.window,
    sums,
    expires_at: nowMs + windowMs + (rule.amount === null ? 0 : Math.ceil(windowMs / 60)),
  };
  const spent: JsonObject = {
    id,
    ...(amount === undefined
      ? {}
      : { currency: amount.currency, amount: decimalText(amount.units), bucket: bucketOf(nowMs, windowMs) }),
  };
  const head: StateOp = { op: 'put', key: `velocity/${id}`, value: value as unknown as JsonObject };
  return { spend: [...next.ops, head], spent: [spent] };
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
