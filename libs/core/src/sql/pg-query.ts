// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import { allOf, plainJoin, relation, withCondition } from './build.ts';
import type { Expression, Query, Relation } from './expression.ts';
import type { Join } from './statement.ts';
import { listOf, objectOf, type Tree, textIn, variantOf } from './tree.ts';

const SHAPES = [
  'limitCount',
  'limitOffset',
  'groupClause',
  'havingClause',
  'larg',
  'rarg',
  'valuesLists',
  'distinctClause',
];
const AGGREGATES = /"sval":"(?:count|min|max|sum|avg|array_agg|string_agg|bool_and|bool_or|every)"/;

/** Reads conditions and values; an argument, since queries stand in expressions and expressions in queries. */
export type ReadExpression = (tree: Tree) => Expression;

/** A `SelectStmt` node. */
export function readPgQuery(tree: Tree, read: ReadExpression): Query {
  const [, select] = variantOf(tree);
  const joins = listOf(select['fromClause']).flatMap((item) => readPgFrom(item, read));
  const columns = listOf(select['targetList']).map((target) => read(variantOf(target)[1]['val']));
  const aggregated = AGGREGATES.test(JSON.stringify(select['targetList'] ?? null));
  return {
    from: joins.map((join) => join.relation),
    where: allOf([readPgCondition(select['whereClause'], read), ...innerConditions(joins)]),
    columns,
    shaped: aggregated || SHAPES.some((name) => select[name] !== undefined),
  };
}

export function readPgCondition(tree: Tree, read: ReadExpression): Expression | null {
  return tree === undefined ? null : read(tree);
}

/** Conditions of outer joins keep rows, so they say nothing about which are left. */
export function innerConditions(joins: readonly Join[]): (Expression | null)[] {
  return joins.filter((join) => !join.outer).map((join) => join.on);
}

/** One item of a FROM clause as the relations in it, with what each join asks. */
export function readPgFrom(tree: Tree, read: ReadExpression): Join[] {
  const [name, content] = variantOf(tree);
  switch (name) {
    case 'RangeVar':
      return [plainJoin(readPgRelation(content))];
    case 'RangeSubselect':
      return [plainJoin(relation('', aliasOf(content), readPgQuery(content['subquery'], read)))];
    case 'JoinExpr':
      return readJoin(content, read);
    case 'RangeTableSample':
      return readPgFrom(content['relation'], read);
    default:
      return [plainJoin(relation('', aliasOf(content)))];
  }
}

function readJoin(content: JsonObject, read: ReadExpression): Join[] {
  const left = readPgFrom(content['larg'], read);
  const type = textIn(content['jointype']);
  const right = withCondition(readPgFrom(content['rarg'], read), {
    on: readPgCondition(content['quals'], read),
    byName: content['isNatural'] === true || content['usingClause'] !== undefined,
    outer: type !== '' && type !== 'JOIN_INNER',
  });
  return [...left, ...right];
}

export function readPgRelation(content: JsonObject): Relation {
  return relation(textIn(content['relname']), aliasOf(content));
}

function aliasOf(content: JsonObject): string {
  return textIn(objectOf(content['alias'])['aliasname']);
}
