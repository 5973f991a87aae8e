// SPDX-License-Identifier: Apache-2.0
import { constantOf } from './constants.ts';
import { type Expression, partsOf, textOf } from './expression.ts';

/** Functions whose value follows their first argument closely enough that comparing it narrows the rows. */
const FOLLOWING = new Set([
  ...['lower', 'upper', 'trim', 'ltrim', 'rtrim', 'btrim', 'date', 'date_trunc', 'datetrunc', 'timestamp_trunc'],
  ...['datetime_trunc', 'trunc', 'to_date', 'to_timestamp', 'to_char', 'to_number', 'year', 'month', 'day', 'hour'],
  ...['minute', 'second', 'quarter', 'week', 'dayofweek', 'dayofyear', 'extract', 'date_part', 'datepart', 'datename'],
  ...[
    'date_format',
    'format_date',
    'format_timestamp',
    'dateadd',
    'date_add',
    'date_sub',
    'timestampadd',
    'add_months',
  ],
  ...['timestamp_add', 'timestamp_sub', 'datetime_add', 'datetime_sub', 'datediff', 'date_diff', 'timestampdiff'],
  ...['timestamp_diff', 'months_between', 'age', 'convert_timezone', 'timezone', 'unix_timestamp', 'from_unixtime'],
  ...['str_to_date', 'safe_cast', 'try_cast', 'cast', 'convert', 'try_convert', 'parse_json', 'json_extract'],
  ...[
    'json_unquote',
    'json_value',
    'json_extract_scalar',
    'get_path',
    'get',
    'get_json_object',
    'md5',
    'sha1',
    'sha2',
    'sha256',
  ],
  ...[
    'coalesce',
    'ifnull',
    'nvl',
    'isnull',
    'concat',
    'replace',
    'reverse',
    'round',
    'floor',
    'ceil',
    'ceiling',
    'substring_index',
  ],
  ...[
    'split_part',
    'regexp_replace',
    'regexp_substr',
    'hash',
    'farm_fingerprint',
    'binary',
    'collate',
    'at time zone',
    'position',
    'strpos',
    'locate',
    'instr',
    'charindex',
    'timestamp',
    'datetime',
  ],
]);
/** These follow their argument too, but are never negative. */
const SIZES = new Set([
  'abs',
  'length',
  'len',
  'char_length',
  'character_length',
  'octet_length',
  'datalength',
  'array_length',
  'cardinality',
  'size',
  'mod',
]);
/** A part of the first argument; with a length of zero it is a constant. */
const SLICES = new Set(['substr', 'substring', 'left', 'right', 'mid']);
/** True or false by their arguments, when the pattern is not empty. */
const PREDICATES = new Set([
  ...['starts_with', 'startswith', 'ends_with', 'endswith', 'contains', 'regexp_like', 'rlike', 'regexp_contains'],
  ...['contains_substr', 'array_contains', 'json_contains'],
]);
const VOLATILE = new Set([
  ...[
    'random',
    'rand',
    'newid',
    'newsequentialid',
    'uuid',
    'uuid_string',
    'generate_uuid',
    'gen_random_uuid',
    'randstr',
  ],
  ...['uniform', 'normal', 'nextval', 'clock_timestamp', 'sleep', 'pg_sleep', 'seq1', 'seq2', 'seq4', 'seq8', 'rownum'],
]);
const FOLLOWING_OPERATORS = new Set(['+', '-', '*', '/', '%', '||', '->', '->>', '#>', '#>>', ':', '[]', 'div', 'mod']);

export function isVolatile(expression: Expression): boolean {
  if (expression.is === 'call' && VOLATILE.has(expression.name)) return true;
  return partsOf(expression).some(isVolatile);
}

/** True where the value is known to depend on a column of the row, so that comparing it with something else narrows the rows. */
export function followsColumn(expression: Expression): boolean {
  switch (expression.is) {
    case 'column':
      return true;
    case 'row':
      return expression.parts.some(followsColumn);
    case 'arithmetic':
      if (constantOf(expression) !== undefined || !FOLLOWING_OPERATORS.has(expression.operator)) return false;
      return followsColumn(expression.left) || followsColumn(expression.right);
    case 'call':
      return callFollows(expression.name, expression.parts);
    default:
      return false;
  }
}

function callFollows(name: string, parts: readonly Expression[]): boolean {
  if (FOLLOWING.has(name) || SIZES.has(name)) return parts.some(followsColumn);
  if (!SLICES.has(name)) return false;
  const length = parts.length > 1 ? constantOf(parts.at(-1) as Expression) : undefined;
  return parts.some(followsColumn) && length !== 0;
}

export function isSize(expression: Expression): boolean {
  return expression.is === 'call' && SIZES.has(expression.name);
}

export function isPredicate(expression: Expression): boolean {
  if (expression.is !== 'call' || !PREDICATES.has(expression.name)) return false;
  const [first, second] = expression.parts;
  if (first === undefined || second === undefined || constantOf(second) === '') return false;
  return expression.parts.some(followsColumn) && textOf(first) !== textOf(second);
}

/** The same value in a simpler form, so that `x + 0` and `x` are found to be one. */
export function simplified(expression: Expression): Expression {
  if (expression.is === 'scalar-query') {
    const { from, where, shaped, columns } = expression.query;
    const [only] = columns;
    return from.length === 0 && where === null && !shaped && only !== undefined ? simplified(only) : expression;
  }
  if (expression.is === 'call') {
    const parts = expression.parts.map(simplified);
    const [first] = parts;
    return first !== undefined && parts.length === 1 && ['coalesce', 'concat'].includes(expression.name)
      ? first
      : { ...expression, parts };
  }
  if (expression.is !== 'arithmetic') return expression;
  const [left, right] = [simplified(expression.left), simplified(expression.right)];
  const [a, b] = [constantOf(left), constantOf(right)];
  const neutral = NEUTRAL[expression.operator];
  if (neutral === undefined) return { ...expression, left, right };
  if (b === neutral) return left;
  const commutes = ['+', '*', '||'].includes(expression.operator);
  return commutes && a === neutral ? right : { ...expression, left, right };
}

const NEUTRAL: Readonly<Record<string, number | string>> = { '+': 0, '-': 0, '*': 1, '/': 1, '||': '' };
