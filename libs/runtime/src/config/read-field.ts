// SPDX-License-Identifier: Apache-2.0
import type { ChoiceField, Field, IntegerField } from './declaration.ts';

export type FieldResult = { readonly value: unknown } | { readonly problem: string };

/** Reads one raw setting: a text from the environment, or a JSON value from a file. */
export function readField(field: Field, raw: unknown): FieldResult {
  switch (field.type) {
    case 'text':
      return typeof raw === 'string' && raw !== '' ? checked(field, raw) : wrong(field, raw, 'a text');
    case 'integer':
      return readInteger(field, raw);
    case 'boolean':
      if (raw === true || raw === 'true') return { value: true };
      if (raw === false || raw === 'false') return { value: false };
      return wrong(field, raw, 'true or false');
    case 'list':
      return readList(field, raw);
    case 'choice':
      return readChoice(field, raw);
  }
}

function readInteger(field: IntegerField, raw: unknown): FieldResult {
  const value = typeof raw === 'string' && /^-?\d{1,16}$/.test(raw) ? Number(raw) : raw;
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = field;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    return wrong(field, raw, `an integer from ${min} to ${max}`);
  }
  return checked(field, value);
}

function readList(field: Extract<Field, { type: 'list' }>, raw: unknown): FieldResult {
  const items: unknown = typeof raw === 'string' ? raw.split(',').map((item) => item.trim()) : raw;
  if (!Array.isArray(items) || items.length === 0 || !items.every((item) => typeof item === 'string' && item !== '')) {
    return wrong(field, raw, 'a list with no empty item, separated by commas');
  }
  return checked(field, Object.freeze(items as string[]));
}

function readChoice(field: ChoiceField, raw: unknown): FieldResult {
  return typeof raw === 'string' && field.choices.includes(raw)
    ? { value: raw }
    : wrong(field, raw, `one of ${field.choices.join(', ')}`);
}

function checked<Value>(
  field: { readonly text: string; check?(value: Value): string | undefined },
  value: Value,
): FieldResult {
  const problem = field.check?.(value);
  return problem === undefined ? { value } : { problem: `${problem} ${field.text}` };
}

function wrong(field: Field, raw: unknown, wanted: string): FieldResult {
  const found = field.secret === true ? 'the value' : JSON.stringify(raw);
  return { problem: `${found} is not ${wanted}. ${field.text}` };
}
