// SPDX-License-Identifier: Apache-2.0
import type { Comparison, Expression, Relation } from './expression.ts';
import type { Join } from './statement.ts';

/** Parts that both readers make. */
export const NULL_VALUE: Expression = { is: 'constant', value: null };

export function compare(operator: Comparison, left: Expression, right: Expression): Expression {
  return { is: 'compare', operator, left, right };
}

export function call(name: string, parts: readonly Expression[]): Expression {
  return { is: 'call', name: name.toLowerCase(), parts };
}

export function other(what: string, parts: readonly Expression[]): Expression {
  return { is: 'other', what, parts };
}

export function allOf(parts: readonly (Expression | null)[]): Expression | null {
  const present = parts.filter((part) => part !== null);
  if (present.length < 2) return present[0] ?? null;
  return { is: 'and', parts: present };
}

type BetweenOptions = { readonly low: Expression; readonly high: Expression; readonly negated: boolean };

export function between(subject: Expression, { low, high, negated }: BetweenOptions): Expression {
  return negated
    ? { is: 'or', parts: [compare('<', subject, low), compare('>', subject, high)] }
    : { is: 'and', parts: [compare('>=', subject, low), compare('<=', subject, high)] };
}

/** A column by its dotted name; `schema.table.column` is qualified by `table`. */
export function column(names: readonly string[]): Expression {
  const lower = names.map((name) => name.toLowerCase());
  return { is: 'column', qualifier: lower.at(-2) ?? null, name: lower.at(-1) ?? '' };
}

export function relation(name: string, alias: string, query: Relation['query'] = null): Relation {
  return { name: name.toLowerCase(), alias: (alias === '' ? name : alias).toLowerCase(), query };
}

export function plainJoin(of: Relation): Join {
  return { relation: of, on: null, byName: false, outer: false };
}

/** What the join asks of the last relation is asked together with what was asked of it before. */
export function withCondition(joins: readonly Join[], condition: Partial<Omit<Join, 'relation'>>): Join[] {
  const last = joins.at(-1);
  if (last === undefined) return [];
  const on = allOf([last.on, condition.on ?? null]);
  const joined: Join = {
    relation: last.relation,
    on,
    byName: last.byName || condition.byName === true,
    outer: last.outer || condition.outer === true,
  };
  return [...joins.slice(0, -1), joined];
}

/** Text that a server reads as a truth value when it is cast to one. */
export function truthText(text: string): boolean | undefined {
  const plain = text.trim().toLowerCase();
  if (['t', 'true', 'yes', 'y', 'on', '1'].includes(plain)) return true;
  return ['f', 'false', 'no', 'n', 'off', '0'].includes(plain) ? false : undefined;
}
