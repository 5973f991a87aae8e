// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../canonical/json-value.ts';
import type { AmountFact } from '../change/change-body.ts';
import { DECIMAL } from '../kernel/decimal.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import type { AmountSource } from '../policy/policy-rules.ts';
import { valueAt } from './json-pointer.ts';

const SECTIONS = ['rate_limits', 'approvals', 'kill_switch', 'cost_caps'] as const;

/** The amounts that the rules of the route count; one that is missing or unreadable is there as null. */
export function amountFacts(policy: Policy, routeId: string, body: JsonValue | undefined): AmountFact[] {
  return SECTIONS.flatMap((section) =>
    policy[section].flatMap((rule) =>
      rule.amount === null || !appliesTo(rule, routeId)
        ? []
        : [{ rule: `${section}/${rule.id}`, ...amountAt(rule.amount, body) }],
    ),
  );
}

function amountAt(
  source: AmountSource,
  body: JsonValue | undefined,
): { value: string | null; currency: string | null } {
  const value = valueAt(body, source.value);
  const text = typeof value === 'number' ? String(value) : value;
  const amount = typeof text === 'string' && DECIMAL.test(text) ? text : null;
  if (source.currency === null || !source.currency.startsWith('/')) return { value: amount, currency: source.currency };
  const currency = valueAt(body, source.currency);
  if (currency === undefined) return { value: amount, currency: null };
  // What is no currency makes the amount unreadable: it must not be counted as if it had none.
  return typeof currency === 'string' && /^[A-Z]{3}$/.test(currency)
    ? { value: amount, currency }
    : { value: null, currency: null };
}
