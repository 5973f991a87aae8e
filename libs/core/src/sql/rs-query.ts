// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import { allOf, plainJoin, relation, withCondition } from './build.ts';
import type { Expression, Query, Relation } from './expression.ts';
import { innerConditions, type ReadExpression } from './pg-query.ts';
import type { Join } from './statement.ts';
import { listOf, objectOf, type Tree, textIn, variantOf } from './tree.ts';

const AGGREGATES =
  /^(?:count|min|max|sum|avg|any_value|array_agg|string_agg|listagg|group_concat|bool_and|bool_or|count_if)$/;
const EMPTY: Query = { from: [], where: null, columns: [], shaped: true };

/** A `Query` of sqlparser-rs. What is no plain SELECT counts as shaped: nothing is proved with it. */
export function readRsQuery(tree: Tree, read: ReadExpression): Query {
  const query = objectOf(tree);
  const [kind, body] = variantOf(query['body']);
  if (kind === 'Query') return readRsQuery(body, read);
  if (kind === 'SetOperation') return readSetOperation(body, read);
  if (kind !== 'Select') return EMPTY;
  const select = readSelect(body, read);
  const limited = ['limit_clause', 'fetch', 'for_clause', 'pipe_operators'].some((name) => isThere(query[name]));
  return { ...select, shaped: select.shaped || limited };
}

/** All relations of both sides, so that a target inside is found; rows of either side may come out. */
function readSetOperation(body: JsonObject, read: ReadExpression): Query {
  const sides = [body['left'], body['right']].map((side) => readRsQuery({ body: side ?? null }, read));
  return { ...EMPTY, from: sides.flatMap((side) => side.from) };
}

function isThere(tree: Tree): boolean {
  return tree !== undefined && tree !== null && tree !== false && !(Array.isArray(tree) && tree.length === 0);
}

function readSelect(body: JsonObject, read: ReadExpression): Query {
  const joins = listOf(body['from']).flatMap((item) => readRsFrom(item, read));
  const columns = listOf(body['projection']).map((item) => {
    const [kind, content] = variantOf(item);
    return read(kind === 'ExprWithAlias' ? content['expr'] : objectOf(item)[kind]);
  });
  const grouped = JSON.stringify(body['group_by'] ?? null) !== '{"Expressions":[[],[]]}';
  const shapes = ['top', 'having', 'qualify', 'distinct', 'connect_by', 'lateral_views'].some((name) =>
    isThere(body[name]),
  );
  const aggregated = columns.some((column) => column.is === 'call' && AGGREGATES.test(column.name));
  return {
    from: joins.map((join) => join.relation),
    where: allOf([readRsCondition(body['selection'], read), ...innerConditions(joins)]),
    columns,
    shaped: grouped || shapes || aggregated,
  };
}

export function readRsCondition(tree: Tree, read: ReadExpression): Expression | null {
  return tree === undefined || tree === null ? null : read(tree);
}

/** A `TableWithJoins`. */
export function readRsFrom(tree: Tree, read: ReadExpression): Join[] {
  const item = objectOf(tree);
  let joins = readFactor(item['relation'], read);
  for (const entry of listOf(item['joins'])) {
    const join = objectOf(entry);
    joins = [
      ...joins,
      ...withCondition(readFactor(join['relation'], read), readJoinOperator(join['join_operator'], read)),
    ];
  }
  return joins;
}

function readJoinOperator(tree: Tree, read: ReadExpression): Partial<Omit<Join, 'relation'>> {
  const [kind, content] = variantOf(tree);
  const [constraint] = variantOf(objectOf(tree)[kind]);
  return {
    on: constraint === 'On' ? read(content['On']) : null,
    byName: constraint === 'Using' || constraint === 'Natural',
    outer: !['Join', 'Inner', 'CrossJoin', 'StraightJoin', 'Semi', 'LeftSemi'].includes(kind),
  };
}

function readFactor(tree: Tree, read: ReadExpression): Join[] {
  const [kind, content] = variantOf(tree);
  const alias = textIn(objectOf(objectOf(content['alias'])['name'])['value']);
  switch (kind) {
    case 'Table':
      return [plainJoin(relation(objectName(content['name']), alias))];
    case 'Derived':
      return [plainJoin(relation('', alias, readRsQuery(content['subquery'], read)))];
    case 'NestedJoin':
      return readRsFrom(content['table_with_joins'], read);
    default:
      return [plainJoin(relation('', alias))];
  }
}

/** The last part of a dotted name. */
export function objectName(tree: Tree): string {
  return textIn(objectOf(variantOf(listOf(tree).at(-1))[1])['value']);
}

/** A `TableFactor` that is written to. */
export function readRsTarget(tree: Tree, read: ReadExpression): Relation {
  return readFactor(tree, read)[0]?.relation ?? relation('', '');
}
