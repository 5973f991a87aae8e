// SPDX-License-Identifier: Apache-2.0
import type { Expression, Query, Relation } from './expression.ts';

export type Join = {
  readonly relation: Relation;
  /** null where the join has no condition. */
  readonly on: Expression | null;
  /** USING (…) and NATURAL compare columns by name. */
  readonly byName: boolean;
  /** A left, full or anti join keeps rows that match nothing. */
  readonly outer: boolean;
};

export type Write = {
  readonly kind: 'write';
  readonly verb: 'update' | 'delete';
  readonly targets: readonly Relation[];
  readonly joins: readonly Join[];
  readonly where: Expression | null;
};

export type MergeClause = {
  readonly when: 'matched' | 'not-matched' | 'not-matched-by-source';
  readonly action: 'insert' | 'update' | 'delete' | 'nothing';
  readonly condition: Expression | null;
};

export type Merge = {
  readonly kind: 'merge';
  readonly target: Relation;
  readonly source: Relation;
  readonly on: Expression;
  readonly clauses: readonly MergeClause[];
};

export type SimpleKind =
  | 'read'
  | 'insert'
  | 'overwrite'
  | 'truncate'
  | 'ddl'
  | 'privilege'
  | 'transaction'
  | 'session'
  | 'dynamic'
  | 'procedural'
  | 'opaque';

export type Simple = { readonly kind: SimpleKind };

export type Statement = Write | Merge | Simple;

/** What a reader made of one text. */
export type Reading = {
  /** Statements at the top, separated by semicolons. */
  readonly topCount: number;
  /** All statements, those inside others too. */
  readonly statements: readonly Statement[];
  /** Common table expressions by name. */
  readonly ctes: ReadonlyMap<string, Query>;
};
