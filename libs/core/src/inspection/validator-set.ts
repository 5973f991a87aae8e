// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../canonical/json-value.ts';
import type { ValidatorFact } from '../change/change-body.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import type { SchemaFinding, SchemaSet } from '../policy/schema-set.ts';

/** The business rules of a route over one value, or over one item after the other: the first fault of each is kept. */
export class ValidatorSet {
  readonly #schemas: SchemaSet;
  readonly #rules: readonly { readonly id: string; readonly schema: string }[];
  readonly #errors = new Map<string, readonly SchemaFinding[]>();

  private constructor(schemas: SchemaSet, rules: readonly { readonly id: string; readonly schema: string }[]) {
    this.#schemas = schemas;
    this.#rules = rules;
  }

  /** undefined where the route has none. */
  static of(policy: Policy, routeId: string, schemas: SchemaSet): ValidatorSet | undefined {
    const rules = (policy.validators ?? []).filter((rule) => appliesTo(rule, routeId));
    return rules.length === 0 ? undefined : new ValidatorSet(schemas, rules);
  }

  look(value: JsonValue, place: string): void {
    for (const { id, schema } of this.#rules) {
      if (this.#errors.has(id)) continue;
      const found = this.#schemas.check(schema, value, false);
      if (found.length === 0) continue;
      const placed = found.map(({ pointer, rule }) => ({ pointer: `${place}${pointer}`.slice(0, 256), rule }));
      this.#errors.set(id, placed.slice(0, 4));
    }
  }

  /** `isWhole`: all of the body was looked at; what could not be looked at is not valid. */
  facts(isWhole: boolean): ValidatorFact[] {
    return this.#rules.map(({ id }) => {
      const errors = this.#errors.get(id) ?? [];
      const verdict = errors.length > 0 ? 'invalid' : isWhole ? 'valid' : 'not_checked';
      return { rule: id, verdict, errors };
    });
  }
}
