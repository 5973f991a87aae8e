// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { decimalText, parseDecimal, type Units, unitsOf } from '../../kernel/decimal.ts';
import { rulesFor } from '../../policy/policy.ts';
import type { CostCap } from '../../policy/policy-rules.ts';
import { countedAmount, overLimit } from '../counted-amount.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { CostField } from '../receipt-body.ts';
import { type Scope, scopesFor } from '../run-scopes.ts';
import type { StateOp } from '../state-table.ts';
import type { ReasonDraft } from '../threat-map.ts';
import { type Amount, bucketOf, type Sums, withAmount, withoutAmount } from '../windows/sum-window.ts';

type Capped = {
  readonly reasons: readonly ReasonDraft[];
  readonly field?: CostField;
  readonly spend?: StateOp;
  readonly spent?: JsonObject;
};

/** What a run or a tenant may cost, in exact decimals; what was surely not forwarded costs nothing. */
export const costCaps: Primitive = {
  name: 'cost_caps',
  evaluate(context) {
    const caps = rulesFor(context.policy.cost_caps, context.route?.id ?? '');
    if (caps.length === 0) return NOTHING;
    const results = caps.flatMap((cap) => {
      const cost = costOf(context, cap);
      if (typeof cost === 'string') return [{ reasons: [block(`cost_caps/${cap.id}`, cost)] } satisfies Capped];
      return scopesFor(cap.scope, context).map((scope) => capped(context, cap, { scope, cost }));
    });
    const reasons = results.flatMap((result: Capped) => result.reasons);
    return {
      reasons: [...new Map(reasons.map((reason) => [`${reason.rule} ${reason.code}`, reason])).values()],
      fields: { cost: results.flatMap((result: Capped) => (result.field === undefined ? [] : [result.field])) },
      spend: results.flatMap((result: Capped) => (result.spend === undefined ? [] : [result.spend])),
      spent: { entries: results.flatMap((result: Capped) => (result.spent === undefined ? [] : [result.spent])) },
    };
  },
  settle({ state, spent, settlement }) {
    if (settlement !== 'returned') return [];
    return (spent['entries'] as readonly JsonObject[]).flatMap((entry): StateOp[] => {
      const key = entry['key'] as string;
      const value = state.get(key);
      if (value === undefined) return [];
      const amount = { currency: entry['currency'] as string, units: unitsOf(entry['amount'] as string) };
      const sums = withoutAmount(value['sums'] as unknown as Sums, amount, entry['bucket'] as number);
      return [{ op: 'put', key, value: { ...value, sums } as unknown as JsonObject }];
    });
  },
};

function costOf(context: RequestContext, cap: CostCap): Amount | string {
  const perAction = parseDecimal(cap.per_action) as Units;
  if (cap.amount === null) return { currency: '', units: perAction };
  const amount = countedAmount(context.facts, `cost_caps/${cap.id}`);
  return typeof amount === 'string' ? amount : { ...amount, units: amount.units + perAction };
}

type Costing = { readonly scope: Scope; readonly cost: Amount };

function capped({ state, nowMs }: RequestContext, cap: CostCap, { scope, cost }: Costing): Capped {
  const rule = `cost_caps/${cap.id}`;
  const key = `cost/${cap.id}.${scope.key}`;
  const moment = { nowMs, windowMs: cap.window_seconds * 1_000 };
  const sums = (state.get(key)?.['sums'] ?? []) as unknown as Sums;
  const judged = overLimit(sums, cost, { ...moment, limit: parseDecimal(cap.max) as Units });
  if (judged === 'currencies') return { reasons: [block(rule, 'CLY_COST_CURRENCY')] };
  const field: CostField = {
    rule: cap.id,
    scope: scope.label.slice(0, 200),
    currency: cost.currency,
    limit: cap.max,
    remaining: decimalText(judged.remaining),
  };
  if (judged.over) return { reasons: [block(rule, 'CLY_COST_CAP')], field };
  const expires = nowMs + moment.windowMs + Math.ceil(moment.windowMs / 60);
  const value = { sums: withAmount(sums, cost, moment), expires_at: expires };
  return {
    reasons: [],
    field,
    spend: { op: 'put', key, value: value as unknown as JsonObject },
    spent: {
      key,
      currency: cost.currency,
      amount: decimalText(cost.units),
      bucket: bucketOf(nowMs, moment.windowMs),
    },
  };
}
