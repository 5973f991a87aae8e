// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../../canonical/json-value.ts';
import type { AmountFact, Claimed } from '../../change/change-body.ts';
import { decimalText, parseDecimal, type Units } from '../../kernel/decimal.ts';
import type { Policy } from '../../policy/policy.ts';
import { amountFacts } from '../amount-facts.ts';
import { claimsOf } from '../claims.ts';

/** Two names are enough to show that they are not one; the fence refuses them whatever the others are. */
const NAMES_MAX = 3;
/** What the log's decimals may have before the point. */
const AMOUNT_MAX: Units = 10n ** 27n;

type Sum = { readonly rule: string; units: Units; currency: string | null; isReadable: boolean };

/** What a body's items say together: the amounts that rules count, and whom the items name. */
export class ItemTally {
  readonly #policy: Policy;
  readonly #routeId: string;
  readonly #sums = new Map<string, Sum>();
  readonly #tenants = new Map<string, Claimed>();
  readonly #actors = new Map<string, Claimed>();

  constructor(policy: Policy, routeId: string) {
    this.#policy = policy;
    this.#routeId = routeId;
  }

  add(item: JsonValue): void {
    const { body_tenant: tenant, body_actor: actor } = this.#policy.tenant_fences;
    note(this.#tenants, item, tenant);
    note(this.#actors, item, actor);
    for (const fact of amountFacts(this.#policy, this.#routeId, item)) this.#count(fact);
  }

  /** One currency a rule: a sum over several is no amount, and counts as one that cannot be read. */
  get amounts(): AmountFact[] {
    return [...this.#sums.values()].map(({ rule, units, currency, isReadable }) =>
      isReadable && units < AMOUNT_MAX
        ? { rule, value: decimalText(units), currency }
        : { rule, value: null, currency: null },
    );
  }

  get tenants(): readonly Claimed[] {
    return [...this.#tenants.values()];
  }

  get actors(): readonly Claimed[] {
    return [...this.#actors.values()];
  }

  #count({ rule, value, currency }: AmountFact): void {
    const units = value === null ? undefined : parseDecimal(value);
    const sum = this.#sums.get(rule);
    if (sum === undefined) {
      this.#sums.set(rule, { rule, units: units ?? 0n, currency, isReadable: units !== undefined });
      return;
    }
    if (units === undefined || currency !== sum.currency) sum.isReadable = false;
    else sum.units += units;
  }
}

function note(known: Map<string, Claimed>, item: JsonValue, pointer: string | null): void {
  if (pointer === null || known.size >= NAMES_MAX) return;
  const [, claim] = claimsOf({ credential: [], header: '', body: item, pointer });
  if (claim !== undefined) known.set(claim.value, claim);
}
