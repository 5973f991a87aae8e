// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { between, call, column, compare, NULL_VALUE, other, truthText } from './build.ts';
import type { Comparison, Expression } from './expression.ts';
import { readRsQuery } from './rs-query.ts';
import { listOf, objectOf, type Tree, textIn, variantOf } from './tree.ts';

type Reader = (content: JsonObject, tree: Tree) => Expression;

/** An expression of sqlparser-rs. Variants without content are plain texts there. */
export function readRs(tree: Tree): Expression {
  const [name, content] = variantOf(tree);
  const reader = READERS[name];
  return reader === undefined ? other(name, []) : reader(content, objectOf(tree)[name]);
}

const readAll = (tree: Tree): Expression[] => listOf(tree).map(readRs);
const inner =
  (member: string): Reader =>
  (content) =>
    readRs(content[member]);
const named =
  (name: string, ...members: readonly string[]): Reader =>
  (content) =>
    call(
      name,
      members.filter((member) => content[member] !== undefined).map((member) => readRs(content[member])),
    );
const nullTest =
  (negated: boolean): Reader =>
  (_, tree) => ({ is: 'null-test', part: readRs(tree), negated });
const truthTest =
  (wanted: boolean, negated: boolean): Reader =>
  (_, tree) => ({ is: 'truth-test', part: readRs(tree), wanted, negated });
const pair =
  (operator: Comparison): Reader =>
  (_, tree) =>
    compare(operator, readRs(listOf(tree)[0]), readRs(listOf(tree)[1]));
const matching =
  (operator: 'like' | '~'): Reader =>
  (content) =>
    compare(
      content['negated'] === true ? (operator === '~' ? '!~' : 'not like') : operator,
      readRs(content['expr']),
      readRs(content['pattern']),
    );

const READERS: Readonly<Record<string, Reader>> = {
  Identifier: (content) => readName([content]),
  CompoundIdentifier: (_, tree) => readName(listOf(tree).map(objectOf)),
  Value: (content) => readValue(content['value']),
  Nested: (_, tree) => readRs(tree),
  BinaryOp: readBinary,
  UnaryOp: readUnary,
  IsNull: nullTest(false),
  IsNotNull: nullTest(true),
  IsUnknown: nullTest(false),
  IsNotUnknown: nullTest(true),
  IsTrue: truthTest(true, false),
  IsNotTrue: truthTest(true, true),
  IsFalse: truthTest(false, false),
  IsNotFalse: truthTest(false, true),
  IsDistinctFrom: pair('distinct'),
  IsNotDistinctFrom: pair('<=>'),
  InList: (content) => ({
    is: 'in',
    left: readRs(content['expr']),
    list: readAll(content['list']),
    negated: content['negated'] === true,
  }),
  InSubquery: (content) => ({
    is: 'in-query',
    left: readRs(content['expr']),
    query: readRsQuery(content['subquery'], readRs),
    negated: content['negated'] === true,
  }),
  Between: (content) =>
    between(readRs(content['expr']), {
      low: readRs(content['low']),
      high: readRs(content['high']),
      negated: content['negated'] === true,
    }),
  Like: matching('like'),
  ILike: matching('like'),
  RLike: matching('~'),
  AnyOp: (content) => readQuantified(content, true),
  AllOp: (content) => readQuantified(content, false),
  Exists: (content) => ({
    is: 'exists',
    query: readRsQuery(content['subquery'], readRs),
    negated: content['negated'] === true,
  }),
  Subquery: (_, tree) => ({ is: 'scalar-query', query: readRsQuery(tree, readRs) }),
  Tuple: (_, tree) => ({ is: 'row', parts: readAll(tree) }),
  Array: (content) => ({ is: 'row', parts: readAll(content['elem']) }),
  Cast: readCast,
  Convert: inner('expr'),
  Collate: inner('expr'),
  AtTimeZone: inner('timestamp'),
  Extract: named('extract', 'expr'),
  Ceil: named('ceil', 'expr'),
  Floor: named('floor', 'expr'),
  Position: named('position', 'expr', 'in'),
  Trim: named('trim', 'expr'),
  Substring: named('substring', 'expr', 'substring_from', 'substring_for'),
  TypedString: (content) => readValue(objectOf(content['value'])['value']),
  Interval: (content) => call('interval', [readRs(content['value'])]),
  Function: (content) => call(functionName(content), argumentsOf(content['args'])),
  JsonAccess: (content) => readAccess(content['value'], content['path']),
  CompoundFieldAccess: (content) => readAccess(content['root'], content['access_chain']),
  Case: () => other('case', []),
};

/** The value of a name without a column behind it: what these servers take for a variable or the current user. */
const NO_COLUMN = /^(?:@|current_|session_user$|user$|sysdate$|systimestamp$|localtime|rownum$)/i;

function readName(parts: readonly JsonObject[]): Expression {
  const names = parts.map((part) => textIn(part['value']));
  const quoted = parts[0]?.['quote_style'] !== undefined && parts[0]['quote_style'] !== null;
  if (names.length === 1 && !quoted && NO_COLUMN.test(names[0] as string)) return { is: 'parameter' };
  return column(names);
}

export function functionName(content: JsonObject): string {
  return textIn(objectOf(variantOf(listOf(content['name']).at(-1))[1])['value']).toLowerCase();
}

function argumentsOf(tree: Tree): Expression[] {
  const [, list] = variantOf(tree);
  return listOf(list['args']).map((argument) => {
    const [kind, content] = variantOf(argument);
    const [, expression] =
      Object.entries(objectOf(kind === 'Named' ? content['arg'] : objectOf(argument)[kind]))[0] ?? [];
    return expression === undefined ? other('argument', []) : readRs(expression);
  });
}

const TEXTS = /^(?:SingleQuoted|DoubleQuoted|TripleSingle|TripleDouble|National|EscapedString|Unicode)/;

function readValue(tree: Tree): Expression {
  if (tree === 'Null') return NULL_VALUE;
  const [name, content] = Object.entries(objectOf(tree))[0] ?? ['', null];
  if (name === 'Boolean') return { is: 'constant', value: content === true };
  if (name === 'Placeholder') return { is: 'parameter' };
  if (name === 'Number') return readNumber(textIn(listOf(content)[0]));
  if (TEXTS.test(name) && typeof content === 'string') return { is: 'constant', value: content };
  return other('value', []);
}

function readNumber(text: string): Expression {
  const value = Number(text);
  return text !== '' && Number.isFinite(value) ? { is: 'constant', value } : other('number', []);
}

const OPERATORS: Readonly<Record<string, Comparison>> = {
  Eq: '=',
  NotEq: '<>',
  Lt: '<',
  LtEq: '<=',
  Gt: '>',
  GtEq: '>=',
  Spaceship: '<=>',
  PGRegexMatch: '~',
  PGRegexIMatch: '~',
  PGRegexNotMatch: '!~',
  PGRegexNotIMatch: '!~',
  PGLikeMatch: 'like',
  PGILikeMatch: 'like',
  PGNotLikeMatch: 'not like',
  PGNotILikeMatch: 'not like',
  Regexp: '~',
};
const ARITHMETIC: Readonly<Record<string, string>> = {
  Plus: '+',
  Minus: '-',
  Multiply: '*',
  Divide: '/',
  Modulo: '%',
  MyIntegerDivide: 'div',
  StringConcat: '||',
  BitwiseAnd: '&',
  BitwiseXor: '^',
  PGBitwiseXor: '#',
  Arrow: '->',
  LongArrow: '->>',
  HashArrow: '#>',
  HashLongArrow: '#>>',
};

function readBinary(content: JsonObject): Expression {
  const operator = isJsonObject(content['op']) ? '' : textIn(content['op']);
  const [left, right] = [readRs(content['left']), readRs(content['right'])];
  if (operator === 'And' || operator === 'Or') return { is: operator === 'Or' ? 'or' : 'and', parts: [left, right] };
  const comparison = OPERATORS[operator];
  if (comparison !== undefined) return compare(comparison, left, right);
  const arithmetic = ARITHMETIC[operator];
  return arithmetic === undefined
    ? other(operator, [left, right])
    : { is: 'arithmetic', operator: arithmetic, left, right };
}

function readUnary(content: JsonObject): Expression {
  const part = readRs(content['expr']);
  if (content['op'] === 'Not' || content['op'] === 'BangNot') return { is: 'not', part };
  if (content['op'] === 'Plus') return part;
  const negative = content['op'] === 'Minus' && part.is === 'constant' && typeof part.value === 'number';
  return negative ? { is: 'constant', value: -(part.value as number) } : other('unary', [part]);
}

function readQuantified(content: JsonObject, any: boolean): Expression {
  const operator = textIn(content['compare_op']);
  const [left, right] = [readRs(content['left']), readRs(content['right'])];
  const negated = operator === 'NotEq' && !any;
  if (!negated && (operator !== 'Eq' || !any)) return other('quantified', [left, right]);
  if (right.is === 'row') return { is: 'in', left, list: right.parts, negated };
  if (right.is === 'scalar-query') return { is: 'in-query', left, query: right.query, negated };
  return compare(negated ? '<>' : '=', left, right);
}

function readCast(content: JsonObject): Expression {
  const part = readRs(content['expr']);
  const isBoolean = /^"?(?:Bool|Boolean)\b/.test(JSON.stringify(content['data_type'] ?? null));
  if (!isBoolean || part.is !== 'constant' || typeof part.value === 'boolean' || part.value === null) return part;
  const value = typeof part.value === 'number' ? part.value !== 0 : truthText(part.value);
  return value === undefined ? other('cast', [part]) : { is: 'constant', value };
}

/** `a:b.c`, `a[0]`; `a.b` inside such a chain names a column of `a` or a field, which is the same for us. */
function readAccess(root: Tree, path: Tree): Expression {
  const right = other(JSON.stringify(path ?? null).replaceAll(/"span":\{[^}]*\{[^}]*\}[^}]*\{[^}]*\}\},?/g, ''), []);
  return { is: 'arithmetic', operator: '[]', left: readRs(root), right };
}
