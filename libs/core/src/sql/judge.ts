// SPDX-License-Identifier: Apache-2.0
import type { SqlDialect } from '../change/sql-fact.ts';
import { allOf } from './build.ts';
import type { SqlCode } from './codes.ts';
import type { Expression, Query, Relation } from './expression.ts';
import { type Keyed, keyedness, withoutSelfLinks } from './joins.ts';
import { truthContext } from './queries.ts';
import type { Merge, Reading, SimpleKind, Write } from './statement.ts';
import { truthOf } from './truth.ts';

const CODE_OF: Readonly<Record<SimpleKind, SqlCode | null>> = {
  read: null,
  insert: null,
  transaction: null,
  overwrite: 'CLY_SQL_OVERWRITE',
  truncate: 'CLY_SQL_TRUNCATE',
  ddl: 'CLY_SQL_DDL',
  privilege: 'CLY_SQL_PRIVILEGE',
  session: 'CLY_SQL_SESSION',
  dynamic: 'CLY_SQL_DYNAMIC',
  procedural: 'CLY_SQL_PROCEDURAL',
  opaque: 'CLY_SQL_OPAQUE',
};

/** What is to be said about the statements of one text, as one parser read it. No code means safe. */
export function judgeReading(reading: Reading, dialect: SqlDialect): ReadonlySet<SqlCode> {
  const codes = new Set<SqlCode>();
  if (reading.topCount === 0) codes.add('CLY_SQL_UNPARSED');
  if (reading.topCount > 1) codes.add('CLY_SQL_MULTI_STATEMENT');
  const all = { dialect, ctes: reading.ctes };
  for (const statement of reading.statements) {
    const found =
      statement.kind === 'write'
        ? judgeWrite(statement, all)
        : statement.kind === 'merge'
          ? judgeMerge(statement, all)
          : [CODE_OF[statement.kind]];
    for (const code of found) if (code !== null) codes.add(code);
  }
  return codes;
}

type Around = { readonly dialect: SqlDialect; readonly ctes: ReadonlyMap<string, Query> };

function judgeWrite(write: Write, { dialect, ctes }: Around): SqlCode[] {
  const relations = [...write.targets, ...write.joins.map((join) => join.relation)];
  const inner = write.joins.filter((join) => !join.outer).map((join) => join.on);
  const ofTarget = write.targets.map((target) => (target.query ?? ctes.get(target.name))?.where ?? null);
  const condition = allOf([write.where, ...inner, ...ofTarget]);
  const codes = keyCodes(write, dialect);
  const byName = write.joins.some((join) => join.byName && !join.outer);
  if (condition === null) return byName ? codes : ['CLY_SQL_NO_WHERE', ...codes];
  const context = truthContext({ dialect, targets: write.targets, relations, ctes });
  const parts = withoutSelfLinks(condition, relations);
  const truth = parts.length === 0 ? 'always' : truthOf({ is: 'and', parts }, context);
  // A condition that was written down and asks nothing is no oversight, even where a join narrows the rows.
  const empty = write.where !== null && truthOf(write.where, context) === 'always';
  if (truth === 'always' || empty) return ['CLY_SQL_TAUTOLOGY', ...codes];
  return truth === 'unproved' && !byName ? ['CLY_SQL_WHERE_UNPROVED', ...codes] : codes;
}

function keyCodes({ targets, joins, where }: Write, dialect: SqlDialect): SqlCode[] {
  if (joins.length === 0) return [];
  // Only these servers let FROM name the target once more; elsewhere that is a second reading of the table.
  const again = dialect === 'tsql' || dialect === 'mysql';
  const aliased = again ? targets : targets.map((target) => ({ ...target, name: '' }));
  const conditions = [where, ...joins.map((join) => join.on)].filter((part) => part !== null);
  return codesOfKeys(keyedness({ targets: aliased, joins, conditions }));
}

function codesOfKeys(keyed: Keyed): SqlCode[] {
  if (keyed === 'keyed') return [];
  return [keyed === 'unkeyed' ? 'CLY_SQL_UNKEYED_JOIN' : 'CLY_SQL_JOIN_UNPROVED'];
}

const ALWAYS: SqlCode = 'CLY_SQL_MERGE_ALWAYS';

function judgeMerge({ target, source, on, clauses }: Merge, { dialect, ctes }: Around): SqlCode[] {
  const relations: readonly Relation[] = [target, source];
  const context = truthContext({ dialect, targets: [target], relations, ctes });
  const onParts = withoutSelfLinks(on, relations);
  const truth = onParts.length === 0 ? 'always' : truthOf({ is: 'and', parts: onParts }, context);
  const touches = clauses.filter((clause) => clause.action === 'update' || clause.action === 'delete');
  const matched = touches.filter((clause) => clause.when === 'matched');
  const unmatched = touches.filter((clause) => clause.when === 'not-matched-by-source');
  const open = unmatched.filter((clause) => {
    const part: Expression = clause.condition ?? { is: 'constant', value: true };
    return truthOf(part, context) !== 'restricts';
  });
  const codes: SqlCode[] = open.length > 0 && truth !== 'never' ? ['CLY_SQL_MERGE_UNMATCHED'] : [];
  if (truth === 'never') return open.length > 0 ? [ALWAYS] : codes;
  if (truth === 'always') return [...codes, ALWAYS];
  const graph = {
    targets: [target],
    joins: [{ relation: source, on: null, byName: false, outer: false }],
    conditions: [on],
  };
  if (matched.length > 0 || unmatched.length > 0) codes.push(...codesOfKeys(keyedness(graph)));
  return codes;
}
