// SPDX-License-Identifier: Apache-2.0
/** One relation of a FROM clause or a target. Names are lower-case and without schema. */
export type Relation = {
  readonly name: string;
  /** What columns are qualified with: the alias, else the name. */
  readonly alias: string;
  /** A derived table's own query. */
  readonly query: Query | null;
};

/** A SELECT, as far as a condition around it needs it. */
export type Query = {
  readonly from: readonly Relation[];
  /** WHERE and the conditions of inner joins; null where there is none. */
  readonly where: Expression | null;
  readonly columns: readonly Expression[];
  /** LIMIT, TOP, GROUP BY, HAVING, aggregates or set operations: the rows are not simply those of FROM. */
  readonly shaped: boolean;
};

/** A condition or value, the same whichever parser it came from. Names are lower-case; casts and parentheses are gone. */
export type Expression =
  | { readonly is: 'constant'; readonly value: string | number | boolean | null }
  | { readonly is: 'column'; readonly qualifier: string | null; readonly name: string }
  | { readonly is: 'parameter' }
  | { readonly is: 'and' | 'or'; readonly parts: readonly Expression[] }
  | { readonly is: 'not'; readonly part: Expression }
  | { readonly is: 'compare'; readonly operator: Comparison; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'null-test'; readonly part: Expression; readonly negated: boolean }
  | { readonly is: 'truth-test'; readonly part: Expression; readonly wanted: boolean; readonly negated: boolean }
  | { readonly is: 'in'; readonly left: Expression; readonly list: readonly Expression[]; readonly negated: boolean }
  | { readonly is: 'in-query'; readonly left: Expression; readonly query: Query; readonly negated: boolean }
  | { readonly is: 'exists'; readonly query: Query; readonly negated: boolean }
  | { readonly is: 'scalar-query'; readonly query: Query }
  | { readonly is: 'arithmetic'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly is: 'call'; readonly name: string; readonly parts: readonly Expression[] }
  | { readonly is: 'row'; readonly parts: readonly Expression[] }
  | { readonly is: 'current-of' }
  /** Anything that is not understood; its parts still say which columns are in it. */
  | { readonly is: 'other'; readonly what: string; readonly parts: readonly Expression[] };

export const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=', '<=>', 'distinct', 'like', 'not like', '~', '!~'] as const;
export type Comparison = (typeof COMPARISONS)[number];

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  '=': '<>',
  '<>': '=',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
  '<=>': 'distinct',
  distinct: '<=>',
  like: 'not like',
  'not like': 'like',
  '~': '!~',
  '!~': '~',
};

/** The expression with NOT pushed down to what it negates, so that only atoms are judged. */
export function negate(expression: Expression): Expression {
  switch (expression.is) {
    case 'and':
      return { is: 'or', parts: expression.parts.map(negate) };
    case 'or':
      return { is: 'and', parts: expression.parts.map(negate) };
    case 'not':
      return expression.part;
    case 'compare':
      return { ...expression, operator: OPPOSITE[expression.operator] };
    case 'null-test':
    case 'truth-test':
    case 'in':
    case 'in-query':
    case 'exists':
      return { ...expression, negated: !expression.negated };
    case 'constant':
      return typeof expression.value === 'boolean'
        ? { is: 'constant', value: !expression.value }
        : negateOther(expression);
    default:
      return { is: 'not', part: expression };
  }
}

function negateOther(expression: Expression & { readonly is: 'constant' }): Expression {
  if (typeof expression.value === 'number') return { is: 'constant', value: expression.value === 0 };
  return expression.value === null ? expression : { is: 'not', part: expression };
}

/** Direct parts; those of subqueries are left out, since their columns may be of other relations. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.is) {
    case 'and':
    case 'or':
    case 'call':
    case 'row':
    case 'other':
      return expression.parts;
    case 'not':
    case 'null-test':
    case 'truth-test':
      return [expression.part];
    case 'compare':
    case 'arithmetic':
      return [expression.left, expression.right];
    case 'in':
      return [expression.left, ...expression.list];
    case 'in-query':
      return [expression.left];
    default:
      return [];
  }
}

export type Column = Expression & { readonly is: 'column' };

export function columnsOf(expression: Expression): readonly Column[] {
  if (expression.is === 'column') return [expression];
  return partsOf(expression).flatMap(columnsOf);
}

export function conjuncts(expression: Expression): readonly Expression[] {
  return expression.is === 'and' ? expression.parts.flatMap(conjuncts) : [expression];
}

/** Equal texts mean the same value for the same row; subqueries never equal anything. */
export function textOf(expression: Expression): string {
  switch (expression.is) {
    case 'constant':
      return JSON.stringify(expression.value);
    case 'column':
      return `${expression.qualifier ?? ''}.${expression.name}`;
    case 'compare':
    case 'arithmetic':
      return `(${textOf(expression.left)} ${expression.operator} ${textOf(expression.right)})`;
    case 'call':
      return `${expression.name}(${expression.parts.map(textOf).join()})`;
    case 'other':
      return `${expression.what}[${expression.parts.map(textOf).join()}]`;
    case 'in-query':
    case 'exists':
    case 'scalar-query':
      return `${expression.is}${JSON.stringify(expression.query)}`;
    case 'null-test':
    case 'in':
      return `${expression.is}${String(expression.negated)}${partsOf(expression).map(textOf).join()}`;
    case 'truth-test':
      return `${expression.is}${String(expression.negated)}${String(expression.wanted)}${textOf(expression.part)}`;
    default:
      return `${expression.is}(${partsOf(expression).map(textOf).join()})`;
  }
}
