// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../../canonical/json-value.ts';
import { decimalText, parseDecimal, type Units, unitsOf } from '../../kernel/decimal.ts';
import { appliesTo } from '../../policy/policy.ts';
import type { KillSwitchTrigger } from '../../policy/policy-rules.ts';
import { countedAmount } from '../counted-amount.ts';
import { block, NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import { type Scope, scopesFor } from '../run-scopes.ts';
import type { StateOp, StateView } from '../state-table.ts';
import { type CountBuckets, totalsOf, withEvent } from '../windows/count-window.ts';
import { bucketOf, type Sums, sumOf, withAmount, withoutAmount } from '../windows/sum-window.ts';

/** One trigger in one scope; it stands with an allowed change until its end is known, whatever the policy is then. */
type Gauge = {
  readonly id: string;
  readonly metric: KillSwitchTrigger['metric'];
  readonly scope: string;
  readonly key: string;
  readonly threshold: string;
  readonly window_ms: number;
  readonly min_count: number;
  readonly ttl_ms: number;
};

type Measured = { readonly buckets: CountBuckets; readonly sums: Sums };

/** Shares are compared in millionths, so that no fraction is rounded away. */
const MILLION = 1_000_000n;

/**
 * Switches that throw themselves: when the share of failures or blocks, or the sum of amounts, gets too large in a
 * scope, nothing is allowed there for a while. What trips a switch is not undone by it; the next request meets it.
 */
export const metricSwitch: Primitive = {
  name: 'metric_switch',
  evaluate(context) {
    const gauges = gaugesOf(context);
    if (gauges.length === 0) return NOTHING;
    const thrown = gauges.filter((gauge) => isThrown(context.state, gauge, context.nowMs));
    const blocked = new Map(thrown.map((gauge) => [gauge.id, gauge]));
    const failing = gauges.filter((gauge) => gauge.metric === 'error_rate');
    const spending = gauges.filter((gauge) => gauge.metric === 'spend');
    const reasons = [...blocked.values()].map(({ id, scope }) =>
      block(`kill_switch/${id}`, 'CLY_KILL_SWITCH_TRIPPED', scope.slice(0, 200)),
    );
    for (const { id } of new Map(spending.map((gauge) => [gauge.id, gauge])).values()) {
      const amount = countedAmount(context.facts, `kill_switch/${id}`);
      if (typeof amount === 'string') reasons.push(block(`kill_switch/${id}`, amount));
    }
    return {
      reasons,
      spent: {
        failing: failing as unknown as readonly JsonObject[],
        spending: spending.flatMap((gauge) => spentOn(context, gauge)),
      },
    };
  },
  observe(context, decision) {
    const gauges = gaugesOf(context);
    if (gauges.length === 0) return [];
    const stopped = gauges.filter((gauge) => !isThrown(context.state, gauge, context.nowMs));
    return stopped.flatMap((gauge) => {
      if (gauge.metric === 'block_rate') return counted(context, gauge, decision === 'block');
      return gauge.metric === 'spend' && decision === 'allow' ? added(context, gauge) : [];
    });
  },
  settle({ state, spent, settlement, nowMs }) {
    if (settlement === 'returned')
      return (spent['spending'] as readonly JsonObject[]).flatMap((one) => returned(state, one));
    if (settlement === 'unknown') return [];
    const gauges = spent['failing'] as unknown as readonly Gauge[];
    return gauges
      .filter((gauge) => !isThrown(state, gauge, nowMs))
      .flatMap((gauge) => counted({ state, nowMs }, gauge, settlement === 'failed'));
  },
};

const NO_GAUGES: readonly Gauge[] = [];

function gaugesOf(context: RequestContext): readonly Gauge[] {
  if (context.policy.kill_switch.length === 0) return NO_GAUGES;
  return context.policy.kill_switch
    .filter((trigger) => appliesTo(trigger, context.route?.id ?? ''))
    .flatMap((trigger) => scopesFor(trigger.scope, context).map((scope) => gaugeOf(trigger, scope)));
}

function gaugeOf(trigger: KillSwitchTrigger, scope: Scope): Gauge {
  return {
    id: trigger.id,
    metric: trigger.metric,
    scope: scope.label,
    key: `${trigger.id}.${scope.key}`,
    threshold: trigger.threshold,
    window_ms: trigger.window_seconds * 1_000,
    min_count: trigger.min_count,
    ttl_ms: trigger.ttl_seconds * 1_000,
  };
}

function isThrown(state: StateView, { key }: Gauge, nowMs: number): boolean {
  const thrown = state.get(`tripped/${key}`);
  return thrown !== undefined && (thrown['expires_at'] as number) > nowMs;
}

function measured(state: StateView, { key }: Gauge): Measured {
  const value = state.get(`metric/${key}`) as Measured | undefined;
  return { buckets: value?.buckets ?? [], sums: value?.sums ?? [] };
}

type Moment = { readonly state: StateView; readonly nowMs: number };

function counted({ state, nowMs }: Moment, gauge: Gauge, isBad: boolean): StateOp[] {
  const before = measured(state, gauge);
  const buckets = withEvent(before.buckets, isBad, { nowMs, windowMs: gauge.window_ms });
  const { all, bad } = totalsOf(buckets);
  const enough = all >= gauge.min_count;
  const share = (BigInt(bad) * MILLION) / BigInt(all);
  const limit = (parseDecimal(gauge.threshold) as Units) / 1_000n;
  if (!enough || share < limit || bad === 0) return [keep(gauge, { ...before, buckets }, nowMs)];
  return trip({ state, nowMs }, gauge, decimalText(share * 1_000n));
}

function added(context: RequestContext, gauge: Gauge): StateOp[] {
  const { nowMs, state } = context;
  const amount = countedAmount(context.facts, `kill_switch/${gauge.id}`);
  if (typeof amount === 'string') return [];
  const before = measured(state, gauge);
  const moment = { nowMs, windowMs: gauge.window_ms };
  // Only one currency more than are counted: the sums of a switch are bounded like those of a rate limit.
  const sums = withAmount(before.sums, amount, moment).slice(-16);
  const buckets = withEvent(before.buckets, false, moment);
  const sum = sumOf(sums, amount.currency, moment);
  const over = sum > (parseDecimal(gauge.threshold) as Units) && totalsOf(buckets).all >= gauge.min_count;
  return over ? trip(context, gauge, decimalText(sum)) : [keep(gauge, { sums, buckets }, nowMs)];
}

function keep(gauge: Gauge, value: Measured, nowMs: number): StateOp {
  const expires = nowMs + gauge.window_ms + Math.ceil(gauge.window_ms / 60);
  return { op: 'put', key: `metric/${gauge.key}`, value: { ...value, expires_at: expires } as unknown as JsonObject };
}

/** The measuring begins anew when the switch comes back. */
function trip({ state, nowMs }: Moment, gauge: Gauge, measuredValue: string): StateOp[] {
  const value: JsonObject = {
    rule: `kill_switch/${gauge.id}`,
    scope: gauge.scope.slice(0, 200),
    metric: gauge.metric,
    value: measuredValue,
    engaged_at: nowMs,
    expires_at: nowMs + gauge.ttl_ms,
  };
  const measure = `metric/${gauge.key}`;
  const forget: StateOp[] = state.get(measure) === undefined ? [] : [{ op: 'delete', key: measure }];
  return [...forget, { op: 'put', key: `tripped/${gauge.key}`, value }];
}

function spentOn(context: RequestContext, gauge: Gauge): JsonObject[] {
  const amount = countedAmount(context.facts, `kill_switch/${gauge.id}`);
  if (typeof amount === 'string') return [];
  const bucket = bucketOf(context.nowMs, gauge.window_ms);
  return [{ key: gauge.key, currency: amount.currency, amount: decimalText(amount.units), bucket }];
}

function returned(state: StateView, spent: JsonObject): StateOp[] {
  const key = `metric/${spent['key'] as string}`;
  const value = state.get(key);
  if (value === undefined) return [];
  const amount = { currency: spent['currency'] as string, units: unitsOf(spent['amount'] as string) };
  const sums = withoutAmount(value['sums'] as unknown as Sums, amount, spent['bucket'] as number);
  return [{ op: 'put', key, value: { ...value, sums } as unknown as JsonObject }];
}
