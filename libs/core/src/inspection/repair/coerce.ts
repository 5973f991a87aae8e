// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../../canonical/json-value.ts';
import type { Repair } from '../../policy/body-rules.ts';
import type { SchemaFault } from '../../policy/schema-set.ts';

export type Coercion = { readonly path: string; readonly repair: Repair; readonly value: JsonValue };

/** A number as JSON would write it, so that the text and the number are the same in every reader. */
const NUMBER_TEXT = /^-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{0,14}[1-9])?$/;
const TEXT_FAULTS = new Set(['pattern', 'format', 'maxLength']);

/** What would make the value at a fault fit, with the repairs that the policy lists; undefined where nothing would. */
export function coercionFor(fault: SchemaFault, value: JsonValue, allowed: readonly Repair[]): Coercion | undefined {
  const wants = (repair: Repair): boolean => allowed.includes(repair);
  const made = (repair: Repair, to: JsonValue): Coercion => ({ path: fault.path, repair, value: to });
  if (typeof value === 'string' && TEXT_FAULTS.has(fault.keyword) && wants('trim_text')) {
    const trimmed = value.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
    return trimmed === value ? undefined : made('trim_text', trimmed);
  }
  if (fault.keyword !== 'type') return undefined;
  const expected = (type: string): boolean => fault.types.includes(type);
  if (typeof value === 'string') {
    if (expected('boolean') && wants('text_to_boolean') && (value === 'true' || value === 'false')) {
      return made('text_to_boolean', value === 'true');
    }
    const isWanted = expected('number') || (expected('integer') && !value.includes('.'));
    if (isWanted && wants('text_to_number') && NUMBER_TEXT.test(value) && String(Number(value)) === value) {
      return made('text_to_number', Number(value));
    }
  }
  if (typeof value === 'number' && expected('string') && wants('number_to_text') && Number.isSafeInteger(value)) {
    return made('number_to_text', String(value));
  }
  if (typeof value === 'boolean' && expected('string') && wants('boolean_to_text')) {
    return made('boolean_to_text', String(value));
  }
  if (expected('array') && !Array.isArray(value) && value !== null && wants('wrap_in_list')) {
    return made('wrap_in_list', [value]);
  }
  return undefined;
}
