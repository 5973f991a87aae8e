// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonValue } from '../canonical/json-value.ts';

/** The first member, in canonical order, by which two values differ: `reasons.0.code`. Empty where they are equal. */
export function firstDifference(left: JsonValue | undefined, right: JsonValue | undefined): string {
  const here = membersOf(left);
  const there = membersOf(right);
  if (here === undefined || there === undefined) return '';
  for (const name of [...new Set([...here.keys(), ...there.keys()])].sort()) {
    const [one, other] = [here.get(name), there.get(name)];
    if (one !== undefined && other !== undefined && canonicalJson(one) === canonicalJson(other)) continue;
    const deeper = firstDifference(one, other);
    return deeper === '' ? name : `${name}.${deeper}`;
  }
  return '';
}

function membersOf(value: JsonValue | undefined): ReadonlyMap<string, JsonValue> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map(Object.entries(value) as [string, JsonValue][]);
}
