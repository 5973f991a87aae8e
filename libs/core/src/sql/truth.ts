// SPDX-License-Identifier: Apache-2.0
import type { SqlDialect } from '../change/sql-fact.ts';
import { compareConstants, constantOf } from './constants.ts';
import { coverEverything } from './cover.ts';
import { columnsOf, type Expression, negate, textOf } from './expression.ts';
import { followsColumn, isPredicate, isSize, isVolatile, simplified } from './values.ts';

/**
 * What a condition does to the rows it is asked about. `always` and `never` are proved (`x = x` counts as always: rows
 * without a value are few); `restricts` is proved from its form: it compares a column with something else. Nobody
 * knows about the rest, `unproved`: a condition is accepted for what it shows, never for lack of a known trick.
 */
export type Truth = 'always' | 'never' | 'restricts' | 'unproved';

export type QueryCondition = Expression & { readonly is: 'in-query' | 'exists' };

export type TruthContext = {
  readonly dialect: SqlDialect;
  /** Decides conditions with a subquery, which need to know the target. */
  readonly judgeQuery: (condition: QueryCondition) => Truth;
  /** Whether a value inside is taken from the target's own rows: `id >= (SELECT min(id) FROM t)` is true for all of them. */
  readonly readsTarget: (value: Expression) => boolean;
};

/** Parts of one OR that are compared with each other; with more of them only single parts are judged. */
const COVER_PARTS_MAX = 32;
/** These servers take a number for a condition, so a column alone proves nothing. */
const NUMBERS_ARE_CONDITIONS: ReadonlySet<SqlDialect> = new Set(['mysql', 'snowflake']);
const MATCHES_ALL = /^(?:\^?\(?(?:\.\*|\.\{0,\})?\??\)?\$?|%+)$/;

export function truthOf(expression: Expression, context: TruthContext): Truth {
  switch (expression.is) {
    case 'and':
      return ofAll(expression.parts.map((part) => truthOf(part, context)));
    case 'or':
      return ofAny(expression.parts, context);
    case 'not':
      return ofNegation(expression.part, context);
    case 'compare':
      return ofComparison(expression, context);
    case 'null-test':
      return ofNullTest(expression);
    case 'truth-test':
      return ofTruthTest(expression, context);
    case 'in':
      return ofList(expression, context);
    case 'in-query':
    case 'exists':
      return context.judgeQuery(expression);
    case 'current-of':
      return 'restricts';
    default:
      return ofValue(expression, context);
  }
}

function ofAll(truths: readonly Truth[]): Truth {
  if (truths.includes('never')) return 'never';
  if (truths.includes('restricts')) return 'restricts';
  return truths.includes('unproved') ? 'unproved' : 'always';
}

function ofAny(parts: readonly Expression[], context: TruthContext): Truth {
  const truths = parts.map((part) => truthOf(part, context));
  if (truths.includes('always')) return 'always';
  if (parts.length <= COVER_PARTS_MAX && coverEverything(parts)) return 'always';
  if (truths.includes('unproved')) return 'unproved';
  return truths.includes('restricts') ? 'restricts' : 'never';
}

function ofNegation(part: Expression, context: TruthContext): Truth {
  const pushed = negate(part);
  if (pushed.is !== 'not') return truthOf(pushed, context);
  const truth = ofValue(part, context);
  if (truth === 'always') return 'never';
  return truth === 'never' ? 'unproved' : truth;
}

function ofValue(expression: Expression, { dialect }: TruthContext): Truth {
  const value = constantOf(expression);
  if (value !== undefined) {
    if (typeof value === 'string') return 'unproved';
    return value === null || value === false || value === 0 ? 'never' : 'always';
  }
  if (expression.is === 'column') return NUMBERS_ARE_CONDITIONS.has(dialect) ? 'unproved' : 'restricts';
  return isPredicate(expression) ? 'restricts' : 'unproved';
}

function ofComparison(expression: Expression & { readonly is: 'compare' }, context: TruthContext): Truth {
  const { operator } = expression;
  const [left, right] = [simplified(expression.left), simplified(expression.right)];
  if ([left, right].some((side) => isVolatile(side) || context.readsTarget(side))) return 'unproved';
  const [a, b] = [constantOf(left), constantOf(right)];
  if (a === null || b === null) return nullComparison(operator, a === null ? right : left);
  if (a !== undefined && b !== undefined) {
    const result = compareConstants(operator, a, b);
    return result === undefined ? 'unproved' : truthOfBoolean(result);
  }
  if (textOf(left) === textOf(right)) return ofSame(operator);
  if (sharesColumn(left, right)) return 'unproved';
  if (matchesAll(operator, b)) return operator === 'like' || operator === '~' ? 'always' : 'never';
  if (isSize(left) && ((operator === '>=' && b === 0) || (operator === '>' && Number(b) < 0))) return 'always';
  if (isSize(right) && ((operator === '<=' && a === 0) || (operator === '<' && Number(a) < 0))) return 'always';
  return followsColumn(left) || followsColumn(right) ? 'restricts' : 'unproved';
}

function nullComparison(operator: string, other: Expression): Truth {
  if (operator === '<=>') return followsColumn(other) ? 'restricts' : 'unproved';
  return operator === 'distinct' ? 'unproved' : 'never';
}

function truthOfBoolean(value: boolean | null): Truth {
  return value === true ? 'always' : 'never';
}

function ofSame(operator: string): Truth {
  if (operator === '~' || operator === '!~') return 'unproved';
  return ['=', '<=', '>=', '<=>', 'like'].includes(operator) ? 'always' : 'never';
}

/** `a = a || ''` and its like cannot be told from `a = a` by their form. */
function sharesColumn(left: Expression, right: Expression): boolean {
  const names = new Set(columnsOf(left).map(textOf));
  return columnsOf(right).some((column) => names.has(textOf(column)));
}

function matchesAll(operator: string, pattern: unknown): boolean {
  const isMatch = ['like', 'not like', '~', '!~'].includes(operator);
  return (
    isMatch && typeof pattern === 'string' && MATCHES_ALL.test(pattern) && (pattern !== '' || operator.includes('~'))
  );
}

function ofNullTest({ part, negated }: Expression & { readonly is: 'null-test' }): Truth {
  const value = constantOf(part);
  if (value !== undefined) return truthOfBoolean((value === null) !== negated);
  // A column that may not be null makes IS NOT NULL true for every row, and the statement does not say whether it may.
  return negated || !followsColumn(part) ? 'unproved' : 'restricts';
}

function ofTruthTest(test: Expression & { readonly is: 'truth-test' }, context: TruthContext): Truth {
  const { part, wanted, negated } = test;
  if (!negated) return truthOf(wanted ? part : negate(part), context);
  const value = constantOf(part);
  if (value !== undefined && typeof value !== 'string') return truthOfBoolean(Boolean(value) !== wanted);
  return part.is === 'column' ? 'restricts' : 'unproved';
}

function ofList({ left, list, negated }: Expression & { readonly is: 'in' }, context: TruthContext): Truth {
  const operator = negated ? '<>' : '=';
  const parts = list.map((right): Expression => ({ is: 'compare', operator, left, right }));
  return truthOf({ is: negated ? 'and' : 'or', parts }, context);
}
