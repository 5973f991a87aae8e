// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import { between, call, column, compare, NULL_VALUE, other, truthText } from './build.ts';
import { COMPARISONS, type Comparison, type Expression } from './expression.ts';
import { readPgQuery } from './pg-query.ts';
import { listOf, objectOf, type Tree, textIn, variantOf } from './tree.ts';

type Reader = (content: JsonObject) => Expression;

/** An expression of PostgreSQL's own parser. Members that hold their default value are absent from its trees. */
export function readPg(tree: Tree): Expression {
  const [name, content] = variantOf(tree);
  const reader = READERS[name];
  return reader === undefined ? other(name, []) : reader(content);
}

const readAll = (tree: Tree): Expression[] => listOf(tree).map(readPg);

const READERS: Readonly<Record<string, Reader>> = {
  A_Const: readConstant,
  ColumnRef: (content) => column(listOf(content['fields']).map((field) => textIn(variantOf(field)[1]['sval']))),
  ParamRef: () => ({ is: 'parameter' }),
  A_Expr: readOperator,
  BoolExpr: readBoolean,
  NullTest: (content) => ({
    is: 'null-test',
    part: readPg(content['arg']),
    negated: content['nulltesttype'] === 'IS_NOT_NULL',
  }),
  BooleanTest: readTruthTest,
  SubLink: readSubLink,
  TypeCast: readCast,
  FuncCall: (content) => call(functionName(content), readAll(content['args'])),
  CoalesceExpr: (content) => call('coalesce', readAll(content['args'])),
  RowExpr: (content) => ({ is: 'row', parts: readAll(content['args']) }),
  List: (content) => ({ is: 'row', parts: readAll(content['items']) }),
  A_ArrayExpr: (content) => ({ is: 'row', parts: readAll(content['elements']) }),
  SQLValueFunction: (content) => call(textIn(content['op']), []),
  CollateClause: (content) => readPg(content['arg']),
  A_Indirection: (content) => ({
    is: 'arithmetic',
    operator: '[]',
    left: readPg(content['arg']),
    right: other(JSON.stringify(content['indirection'] ?? null).replaceAll(/"location":\d+,?/g, ''), []),
  }),
  CurrentOfExpr: () => ({ is: 'current-of' }),
  CaseExpr: (content) => other('case', readAll(content['args'])),
  CaseWhen: (content) => other('when', [readPg(content['expr']), readPg(content['result'])]),
  MinMaxExpr: (content) => other('minmax', readAll(content['args'])),
};

export function functionName(content: JsonObject): string {
  return textIn(variantOf(listOf(content['funcname']).at(-1))[1]['sval']).toLowerCase();
}

function readConstant(content: JsonObject): Expression {
  if (content['isnull'] === true) return NULL_VALUE;
  if (content['boolval'] !== undefined)
    return { is: 'constant', value: objectOf(content['boolval'])['boolval'] === true };
  if (content['sval'] !== undefined) return { is: 'constant', value: textIn(objectOf(content['sval'])['sval']) };
  if (content['ival'] !== undefined) return { is: 'constant', value: Number(objectOf(content['ival'])['ival'] ?? 0) };
  const fval = Number(objectOf(content['fval'])['fval']);
  return content['fval'] !== undefined && Number.isFinite(fval) ? { is: 'constant', value: fval } : other('const', []);
}

function readBoolean(content: JsonObject): Expression {
  const parts = readAll(content['args']);
  if (content['boolop'] === 'NOT_EXPR') return { is: 'not', part: parts[0] ?? other('not', []) };
  return { is: content['boolop'] === 'OR_EXPR' ? 'or' : 'and', parts };
}

function readTruthTest(content: JsonObject): Expression {
  const type = textIn(content['booltesttype']);
  const part = readPg(content['arg']);
  if (type.includes('UNKNOWN')) return { is: 'null-test', part, negated: type.includes('NOT') };
  return { is: 'truth-test', part, wanted: type.endsWith('TRUE'), negated: type.includes('NOT') };
}

function readCast(content: JsonObject): Expression {
  const part = readPg(content['arg']);
  const type = textIn(variantOf(listOf(objectOf(content['typeName'])['names']).at(-1))[1]['sval']);
  if (type !== 'bool' || part.is !== 'constant' || typeof part.value === 'boolean' || part.value === null) return part;
  const value = typeof part.value === 'number' ? part.value !== 0 : truthText(part.value);
  return value === undefined ? other('cast', [part]) : { is: 'constant', value };
}

function readSubLink(content: JsonObject): Expression {
  const query = readPgQuery(content['subselect'], readPg);
  const operator = operatorOf(content['operName']);
  switch (content['subLinkType']) {
    case 'EXISTS_SUBLINK':
      return { is: 'exists', query, negated: false };
    case 'EXPR_SUBLINK':
      return { is: 'scalar-query', query };
    case 'ANY_SUBLINK':
      if (operator !== '' && operator !== '=') return other('any', [readPg(content['testexpr'])]);
      return { is: 'in-query', left: readPg(content['testexpr']), query, negated: false };
    case 'ALL_SUBLINK':
      if (operator !== '<>') return other('all', [readPg(content['testexpr'])]);
      return { is: 'in-query', left: readPg(content['testexpr']), query, negated: true };
    default:
      return other('sublink', []);
  }
}

function operatorOf(names: Tree): string {
  return textIn(variantOf(listOf(names).at(-1))[1]['sval']);
}

const MATCHES: Readonly<Record<string, Comparison>> = {
  '~~': 'like',
  '~~*': 'like',
  '!~~': 'not like',
  '!~~*': 'not like',
  '~': '~',
  '~*': '~',
  '!~': '!~',
  '!~*': '!~',
};

function readOperator(content: JsonObject): Expression {
  const operator = operatorOf(content['name']);
  const [left, right] = [readPg(content['lexpr']), readPg(content['rexpr'])];
  switch (content['kind']) {
    case 'AEXPR_IN':
      return { is: 'in', left, list: right.is === 'row' ? right.parts : [right], negated: operator === '<>' };
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return readArray(operator, left, { right, any: content['kind'] === 'AEXPR_OP_ANY' });
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN': {
      const [low, high] = right.is === 'row' ? right.parts : [];
      if (low === undefined || high === undefined) return other('between', [left]);
      return between(left, { low, high, negated: content['kind'] === 'AEXPR_NOT_BETWEEN' });
    }
    case 'AEXPR_DISTINCT':
      return compare('distinct', left, right);
    case 'AEXPR_NOT_DISTINCT':
      return compare('<=>', left, right);
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
      return readPlain(operator, content, [left, right]);
    default:
      return other(textIn(content['kind']), [left, right]);
  }
}

function readArray(operator: string, left: Expression, list: { right: Expression; any: boolean }): Expression {
  const { right, any } = list;
  const negated = operator === '<>' && !any;
  if (!negated && (operator !== '=' || !any)) return other('array', [left, right]);
  if (right.is === 'row') return { is: 'in', left, list: right.parts, negated };
  return compare(negated ? '<>' : '=', left, right);
}

function readPlain(operator: string, content: JsonObject, sides: readonly [Expression, Expression]): Expression {
  const [left, right] = sides;
  if (content['lexpr'] === undefined) {
    if (operator === '+') return right;
    if (operator === '-' && right.is === 'constant' && typeof right.value === 'number') {
      return { is: 'constant', value: -right.value };
    }
    return other(operator, [right]);
  }
  const match = MATCHES[operator];
  if (match !== undefined) return compare(match, left, right);
  const plain = operator === '!=' ? '<>' : operator;
  if ((COMPARISONS as readonly string[]).includes(plain)) return compare(plain as Comparison, left, right);
  return { is: 'arithmetic', operator, left, right };
}
