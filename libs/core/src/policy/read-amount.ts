// SPDX-License-Identifier: Apache-2.0

import type { PolicyCursor } from './policy-cursor.ts';
import type { AmountSource } from './policy-rules.ts';

export const POINTER_RULE = {
  pattern: /^(?:\/(?:[^~/]|~[01]){1,128}){1,16}$/,
  what: 'a JSON pointer such as /account/id',
};
const CURRENCY_RULE = {
  pattern: /^(?:[A-Z]{3}|(?:\/(?:[^~/]|~[01]){1,128}){1,16})$/,
  what: 'a currency such as EUR, or a JSON pointer to it',
};
const LIMIT_RULE = { pattern: /^(?:[A-Z]{3}|\*)$/, what: 'currencies such as EUR, or * for the others' };

/** Where the amount of a request stands: a pointer, or `{ value, currency }`. */
export function readAmount(rule: PolicyCursor, fallback: AmountSource | null = null): AmountSource | null {
  const amount = rule.member('amount');
  if (amount.isAbsent()) return fallback;
  if (typeof amount.value === 'string') return { value: rule.text('amount', POINTER_RULE), currency: null };
  if (!amount.objectOf(['value', 'currency'])) return fallback;
  return { value: amount.text('value', POINTER_RULE), currency: amount.textOrNull('currency', CURRENCY_RULE) };
}

/** Limits by currency; a single amount holds for each currency. */
export function readLimits(rule: PolicyCursor, name: string): Record<string, string> {
  const member = rule.member(name);
  if (member.isAbsent()) return {};
  if (typeof member.value !== 'object') return { '*': rule.decimal(name) };
  const limits: Record<string, string> = {};
  for (const [currency] of rule.entries(name, LIMIT_RULE)) limits[currency] = member.decimal(currency);
  return limits;
}
