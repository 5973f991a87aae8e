// SPDX-License-Identifier: Apache-2.0
import { type Comparison, type Expression, textOf } from './expression.ts';

export type Constant = string | number | boolean | null;

/** The value of an expression without columns, or undefined where it has none that every server agrees on. */
export function constantOf(expression: Expression): Constant | undefined {
  switch (expression.is) {
    case 'constant':
      return expression.value;
    case 'arithmetic':
      return arithmetic(expression);
    case 'call':
      return coalesced(expression.name, expression.parts);
    case 'scalar-query': {
      const [only, second] = expression.query.columns;
      const plain = expression.query.from.length === 0 && expression.query.where === null && !expression.query.shaped;
      return plain && only !== undefined && second === undefined ? constantOf(only) : undefined;
    }
    default:
      return undefined;
  }
}

const FIRST_VALUE = new Set(['coalesce', 'ifnull', 'nvl', 'isnull']);

function coalesced(name: string, parts: readonly Expression[]): Constant | undefined {
  const [first] = parts;
  if (!FIRST_VALUE.has(name) || first === undefined) return undefined;
  const value = constantOf(first);
  return value === null ? coalesced(name, parts.slice(1)) : value;
}

function arithmetic({ operator, left, right }: Expression & { readonly is: 'arithmetic' }): Constant | undefined {
  const [a, b] = [constantOf(left), constantOf(right)];
  if (a === null || b === null) return null;
  if (absorbs(operator, a, b)) return 0;
  if (operator === '||' && typeof a === 'string' && typeof b === 'string') return a + b;
  if (typeof a === 'number' && typeof b === 'number') return calculate(operator, a, b);
  if (!['-', '/', '^', '#', 'xor'].includes(operator) || textOf(left) !== textOf(right)) return undefined;
  return operator === '/' ? 1 : 0;
}

/** Whatever a column holds, multiplied by zero it is zero. */
function absorbs(operator: string, a: Constant | undefined, b: Constant | undefined): boolean {
  if (operator === '*' || operator === '&') return a === 0 || b === 0;
  return operator === '%' && (b === 1 || b === -1);
}

function calculate(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      // Integer or exact division: servers differ, so only what is the same in both counts.
      return b !== 0 && Number.isInteger(a / b) ? a / b : undefined;
    case '%':
      return b === 0 ? undefined : a % b;
    default:
      return undefined;
  }
}

/** undefined where servers, settings or collations decide. */
export function compareConstants(operator: Comparison, a: Constant, b: Constant): boolean | null | undefined {
  if (operator === '<=>' && (a === null || b === null)) return a === b;
  if (operator === 'distinct' && (a === null || b === null)) return a !== b;
  if (a === null || b === null) return null;
  const order = orderOf(a, b);
  if (order === undefined) return undefined;
  switch (operator) {
    case '=':
    case '<=>':
      return order === 0;
    case '<>':
    case 'distinct':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case 'like':
      return typeof b === 'string' && !/[%_\\]/.test(b) ? order === 0 : undefined;
    case 'not like':
      return typeof b === 'string' && !/[%_\\]/.test(b) ? order !== 0 : undefined;
    default:
      return undefined;
  }
}

function orderOf(a: string | number | boolean, b: string | number | boolean): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return orderOfTexts(a, b);
  // 1 = '1' compares numbers in most servers, and true = 1 in some.
  const [x, y] = [numeric(a), numeric(b)];
  return x === undefined || y === undefined || x !== y ? undefined : 0;
}

function numeric(value: string | number | boolean): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'number') return value;
  return /^\s*-?[0-9]{1,15}(?:\.[0-9]{1,15})?\s*$/.test(value) ? Number(value) : undefined;
}

/** Collations ignore case, accents or trailing spaces, so only texts that differ in letters and digits differ. */
function orderOfTexts(a: string, b: string): number | undefined {
  if (a === b) return 0;
  const [x, y] = [a.trimEnd().toLowerCase(), b.trimEnd().toLowerCase()];
  if (!/^[a-z0-9 ]*$/.test(x) || !/^[a-z0-9 ]*$/.test(y) || x === y) return undefined;
  return x < y ? -1 : 1;
}
