// SPDX-License-Identifier: Apache-2.0
import type { AccessRow, QueryRow } from '@clyra/adapter-snowflake/history-rows';
import type { RelationEffect } from '@clyra/core/reconciliation/ledger-entry';
import { UNLISTED_RELATION } from '../../observation/transaction-body.ts';
import type { ObservedStatement } from '../observed-statement.ts';
import { statementTarget } from './statement-target.ts';

export type StatementEffect = Pick<ObservedStatement, 'relations' | 'effectFrom' | 'countsUnknown'>;

type Counts = Omit<RelationEffect, 'schema' | 'name'>;

const NONE: Counts = { inserts: 0, updates: 0, deletes: 0, truncates: 0 };
/** Types that change rows; all others that get here change what a table is, or who may do what with it. */
const ROW_TYPES: ReadonlyMap<string, Partial<Counts>> = new Map([
  ['INSERT', { inserts: 1 }],
  ['MULTI_TABLE_INSERT', { inserts: 1 }],
  ['COPY', { inserts: 1 }],
  ['UPDATE', { updates: 1 }],
  ['DELETE', { deletes: 1 }],
  ['MERGE', { inserts: 1, updates: 1, deletes: 1 }],
]);

/** What a statement did, from what the account says of it; undefined where it did nothing. */
export function statementEffect(row: QueryRow, access: AccessRow | undefined): StatementEffect | undefined {
  const counted = countsOf(row);
  if (counted === undefined) return undefined;
  const { counts, isUnknown } = counted;
  const { names, from } = targetsOf(row, access);
  // The account counts by statement: where it changed several tables, each is said to have all of it.
  const relations = names.map((name) => ({ ...relationOf(name), ...counts }));
  return {
    relations: relations.length === 0 ? [{ ...UNLISTED_RELATION, ...counts }] : relations,
    effectFrom: from,
    ...(isUnknown ? { countsUnknown: true } : {}),
  };
}

function countsOf(row: QueryRow): { readonly counts: Counts; readonly isUnknown: boolean } | undefined {
  const { type, inserted, updated, deleted } = row;
  const isUnknown = inserted === null && updated === null && deleted === null;
  const told = { inserts: inserted ?? 0, updates: updated ?? 0, deletes: deleted ?? 0 };
  const total = told.inserts + told.updates + told.deletes;
  if (type === 'TRUNCATE_TABLE') return { counts: { ...NONE, ...told, truncates: 1 }, isUnknown: false };
  const least = ROW_TYPES.get(type);
  if (least === undefined) return { counts: { ...NONE, ...told, ddl: 1 }, isUnknown: false };
  if (isUnknown) return { counts: { ...NONE, ...least }, isUnknown };
  return total === 0 ? undefined : { counts: { ...NONE, ...told }, isUnknown };
}

function targetsOf(
  row: QueryRow,
  access: AccessRow | undefined,
): { readonly names: readonly string[]; readonly from: ObservedStatement['effectFrom'] } {
  const seen = [...(access?.modified ?? []), ...(access?.ddlObject == null ? [] : [access.ddlObject])];
  const names = [...new Set(seen)].sort();
  if (names.length > 0) return { names, from: 'access_history' };
  const target = statementTarget(row.textStart, row);
  return target === undefined ? { names: [], from: 'nowhere' } : { names: [target], from: 'statement_text' };
}

/** A policy writes DATABASE.SCHEMA.NAME: the last part is the name, what is before it the schema. */
function relationOf(name: string): { readonly schema: string; readonly name: string } {
  const dot = lastDotOf(name);
  return dot < 0 ? { schema: '', name } : { schema: name.slice(0, dot), name: unquoted(name.slice(dot + 1)) };
}

/** Dots inside quotation marks belong to a name. */
function lastDotOf(name: string): number {
  let isQuoted = false;
  let dot = -1;
  for (let index = 0; index < name.length; index += 1) {
    if (name[index] === '"') isQuoted = !isQuoted;
    if (name[index] === '.' && !isQuoted) dot = index;
  }
  return dot;
}

function unquoted(part: string): string {
  return /^"(?:[^"]|"")+"$/.test(part) ? part.slice(1, -1).replaceAll('""', '"') : part;
}
