// SPDX-License-Identifier: Apache-2.0
import type { SqlDialect } from '../change/sql-fact.ts';
import { columnsOf, conjuncts, type Expression, partsOf, type Query, type Relation } from './expression.ts';
import { type QueryCondition, type Truth, type TruthContext, truthOf } from './truth.ts';
import { followsColumn } from './values.ts';

/** What the condition stands in: the relations that are written and all that can be named beside them. */
export type Surroundings = {
  readonly dialect: SqlDialect;
  readonly targets: readonly Relation[];
  /** Everything that columns of the condition may be qualified with. */
  readonly relations: readonly Relation[];
  readonly ctes: ReadonlyMap<string, Query>;
};

const CTE_DEPTH_MAX = 8;

export function truthContext(surroundings: Surroundings): TruthContext {
  const context: TruthContext = {
    dialect: surroundings.dialect,
    judgeQuery: (condition) =>
      condition.is === 'exists'
        ? judgeExists(condition, surroundings, context)
        : judgeMembership(condition, surroundings, context),
    readsTarget: (value) => valueReadsTarget(value, surroundings),
  };
  return context;
}

function valueReadsTarget(value: Expression, surroundings: Surroundings): boolean {
  if (value.is === 'scalar-query') return readsTarget(value.query, surroundings);
  return partsOf(value).some((part) => valueReadsTarget(part, surroundings));
}

/** True if rows of a target may come out of the query, through derived tables and common table expressions too. */
function readsTarget(query: Query, surroundings: Surroundings, depth = 0): boolean {
  if (depth > CTE_DEPTH_MAX) return true;
  return query.from.some((relation) => {
    if (surroundings.targets.some((target) => target.name !== '' && target.name === relation.name)) return true;
    const inner = relation.query ?? surroundings.ctes.get(relation.name);
    return inner !== undefined && readsTarget(inner, surroundings, depth + 1);
  });
}

function judgeMembership(
  condition: QueryCondition & { readonly is: 'in-query' },
  surroundings: Surroundings,
  context: TruthContext,
): Truth {
  const { left, query, negated } = condition;
  const [only, second] = query.columns;
  if (query.from.length === 0 && query.where === null && !query.shaped && only !== undefined && second === undefined) {
    return truthOf({ is: 'compare', operator: negated ? '<>' : '=', left, right: only }, context);
  }
  const inner = query.where === null ? 'always' : truthOf(query.where, innerContext(surroundings, query));
  if (inner === 'never') return negated ? 'always' : 'never';
  if (!followsColumn(left)) return 'unproved';
  if (!readsTarget(query, surroundings)) return namesOuter(query, surroundings) ? 'unproved' : 'restricts';
  if (negated) return 'restricts';
  return inner === 'restricts' && !namesOuter(query, surroundings) ? 'restricts' : wholeTarget(condition, inner);
}

/** `id IN (SELECT id FROM t)`: every row finds itself. */
function wholeTarget({ left, query }: QueryCondition & { readonly is: 'in-query' }, inner: Truth): Truth {
  const [only] = query.columns;
  const same = left.is === 'column' && only?.is === 'column' && left.name === only.name;
  return same && inner === 'always' && query.from.length === 1 && !query.shaped ? 'always' : 'unproved';
}

function innerContext(surroundings: Surroundings, query: Query): TruthContext {
  return truthContext({ ...surroundings, relations: [...surroundings.relations, ...query.from] });
}

/** Correlated: some column is qualified with a relation from outside. */
function namesOuter(query: Query, surroundings: Surroundings): boolean {
  return query.where !== null && columnsOf(query.where).some((column) => isOuter(column, query, surroundings));
}

function isOuter(column: { readonly qualifier: string | null }, query: Query, { relations }: Surroundings): boolean {
  const { qualifier } = column;
  if (qualifier === null || query.from.some((relation) => relation.alias === qualifier)) return false;
  return relations.some((relation) => relation.alias === qualifier || relation.name === qualifier);
}

function judgeExists(
  condition: QueryCondition & { readonly is: 'exists' },
  surroundings: Surroundings,
  context: TruthContext,
): Truth {
  const { query, negated } = condition;
  if (query.from.length === 0 && !query.shaped) {
    const inner = query.where === null ? 'always' : truthOf(query.where, context);
    if (inner === 'always') return negated ? 'never' : 'always';
    return inner === 'never' ? (negated ? 'always' : 'never') : 'unproved';
  }
  if (query.where === null || query.shaped) return 'unproved';
  const inner = truthOf(query.where, innerContext(surroundings, query));
  if (inner === 'never') return negated ? 'always' : 'never';
  const links = conjuncts(query.where).filter((part) => linksOutward(part, query, surroundings));
  const selfJoin = readsTarget(query, surroundings);
  const restricts = links.some((link) => !selfJoin || !comparesSameColumn(link));
  return restricts ? 'restricts' : 'unproved';
}

function linksOutward(part: Expression, query: Query, surroundings: Surroundings): boolean {
  if (part.is !== 'compare') return false;
  const sides = [columnsOf(part.left), columnsOf(part.right)];
  const outer = sides.map((columns) => columns.some((column) => isOuter(column, query, surroundings)));
  const inner = sides.map((columns) =>
    columns.some((column) => query.from.some((relation) => relation.alias === column.qualifier)),
  );
  return (outer[0] === true && inner[1] === true) || (outer[1] === true && inner[0] === true);
}

/** `b.id = a.id` of two readings of one table is true for every row. */
function comparesSameColumn(part: Expression): boolean {
  if (part.is !== 'compare' || !['=', '<=>', '<=', '>='].includes(part.operator)) return false;
  return part.left.is === 'column' && part.right.is === 'column' && part.left.name === part.right.name;
}
