// SPDX-License-Identifier: Apache-2.0
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonValue } from '../canonical/json-value.ts';

/**
 * Own versions of the keywords that compare whole values. The library's comparison calls `valueOf` of the data, so a
 * body with a member of that name would throw inside the check, and its `uniqueItems` takes quadratic time. RFC 8785
 * text is equal exactly where JSON values are.
 */
export function replaceComparingKeywords(ajv: Ajv2020): void {
  for (const keyword of ['uniqueItems', 'enum', 'const']) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    compile: (wanted: boolean) => (items: readonly JsonValue[]) =>
      !wanted || new Set(items.map((item) => canonicalJson(item))).size === items.length,
  });
  ajv.addKeyword({
    keyword: 'enum',
    schemaType: 'array',
    compile: (values: readonly JsonValue[]) => {
      const allowed = new Set(values.map((value) => canonicalJson(value)));
      return (value: JsonValue) => allowed.has(canonicalJson(value));
    },
  });
  ajv.addKeyword({
    keyword: 'const',
    compile: (wanted: JsonValue) => {
      const text = canonicalJson(wanted);
      return (value: JsonValue) => canonicalJson(value) === text;
    },
  });
}
