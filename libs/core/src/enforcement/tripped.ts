// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import type { TrippedField } from './receipt-body.ts';
import type { StateOp } from './state-table.ts';

/** The switches that a record has thrown: they stand in its body, so that nothing is stopped without evidence. */
export function trippedBy(ops: readonly StateOp[]): readonly TrippedField[] | undefined {
  let fields: TrippedField[] | undefined;
  for (const op of ops) {
    if (op.op !== 'put' || !op.key.startsWith('tripped/')) continue;
    fields ??= [];
    fields.push(fieldOf(op.value));
  }
  return fields;
}

function fieldOf(value: JsonObject): TrippedField {
  const {
    rule,
    scope,
    metric,
    value: measured,
    expires_at: until,
  } = value as unknown as TrippedField & {
    readonly expires_at: number;
  };
  return { rule, scope, metric, value: measured, until };
}
