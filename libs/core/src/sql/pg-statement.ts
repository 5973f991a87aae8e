// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import { relation } from './build.ts';
import type { Query } from './expression.ts';
import { functionName, readPg } from './pg-expression.ts';
import { readPgCondition, readPgFrom, readPgQuery, readPgRelation } from './pg-query.ts';
import { isRiskyFunction } from './risky-functions.ts';
import type { Merge, MergeClause, Reading, SimpleKind, Statement } from './statement.ts';
import { listOf, nodesIn, objectOf, type Tree, type TreeNode, textIn, variantOf } from './tree.ts';

const KINDS: Readonly<Record<string, SimpleKind>> = {
  SelectStmt: 'read',
  ExplainStmt: 'read',
  PrepareStmt: 'read',
  DeallocateStmt: 'read',
  DeclareCursorStmt: 'read',
  FetchStmt: 'read',
  ClosePortalStmt: 'read',
  VariableShowStmt: 'read',
  InsertStmt: 'insert',
  TruncateStmt: 'truncate',
  TransactionStmt: 'transaction',
  LockStmt: 'transaction',
  VacuumStmt: 'transaction',
  ListenStmt: 'transaction',
  UnlistenStmt: 'transaction',
  NotifyStmt: 'transaction',
  CheckPointStmt: 'transaction',
  VariableSetStmt: 'session',
  DiscardStmt: 'session',
  ConstraintsSetStmt: 'session',
  DoStmt: 'dynamic',
  ExecuteStmt: 'dynamic',
  GrantStmt: 'privilege',
  GrantRoleStmt: 'privilege',
  AlterDefaultPrivilegesStmt: 'privilege',
  CreateRoleStmt: 'privilege',
  AlterRoleStmt: 'privilege',
  AlterRoleSetStmt: 'privilege',
  DropRoleStmt: 'privilege',
  ReassignOwnedStmt: 'privilege',
  DropOwnedStmt: 'privilege',
};
const DDL =
  /^(?:Create|Alter|Drop|Define|Rename|Comment|Index|View|Rule|Reindex|RefreshMatView|SecLabel|Import|Composite|Cluster|Repack)/;

/** What a statement is asked for, wherever in it that stands. */
const ASKED = new Set(['UpdateStmt', 'DeleteStmt', 'MergeStmt', 'intoClause', 'FuncCall', 'CommonTableExpr']);

/** The tree of libpg_query (`stmts`) as statements. Throws TreeTooLarge. */
export function readPgTree(tree: Tree): Reading {
  const nodes = nodesIn(tree, ASKED);
  const top = listOf(objectOf(tree)['stmts']).map((entry) => objectOf(entry)['stmt']);
  const statements: Statement[] = [];
  const ctes = new Map<string, Query>();
  for (const statement of top) {
    const [name, content] = variantOf(statement);
    if (!isWrite(name)) statements.push({ kind: kindOf(name, content) });
    if (name === 'ExplainStmt' && !isAnalyzed(content)) continue;
    for (const node of top.length === 1 ? nodes : nodesIn(statement, ASKED)) {
      statements.push(...nestedIn(node));
      if (node.name === 'CommonTableExpr') {
        ctes.set(textIn(node.content['ctename']).toLowerCase(), readPgQuery(node.content['ctequery'], readPg));
      }
    }
  }
  return { topCount: top.length, statements, ctes };
}

function kindOf(name: string, content: JsonObject): SimpleKind {
  if (name === 'CopyStmt') return copyKind(content);
  const kind = KINDS[name];
  if (kind !== undefined) return kind;
  return DDL.test(name) ? 'ddl' : 'opaque';
}

function copyKind(content: JsonObject): SimpleKind {
  if (content['is_program'] === true || content['filename'] !== undefined) return 'opaque';
  return content['is_from'] === true ? 'insert' : 'read';
}

function isAnalyzed(content: JsonObject): boolean {
  return listOf(content['options']).some((option) => variantOf(option)[1]['defname'] === 'analyze');
}

function isWrite(name: string): boolean {
  return name === 'UpdateStmt' || name === 'DeleteStmt' || name === 'MergeStmt';
}

/** Writes wherever they stand, and what makes a read more than a read. */
function nestedIn({ name, content: node }: TreeNode): Statement[] {
  switch (name) {
    case 'UpdateStmt':
    case 'DeleteStmt': {
      const from = listOf(name === 'UpdateStmt' ? node['fromClause'] : node['usingClause']);
      const verb = name === 'UpdateStmt' ? 'update' : 'delete';
      const target = readPgRelation(objectOf(node['relation']));
      const where = readPgCondition(node['whereClause'], readPg);
      return [
        { kind: 'write', verb, targets: [target], joins: from.flatMap((item) => readPgFrom(item, readPg)), where },
      ];
    }
    case 'MergeStmt':
      return [readMerge(node)];
    case 'intoClause':
      return [{ kind: 'ddl' }];
    case 'FuncCall':
      return isRiskyFunction(functionName(node)) ? [{ kind: 'opaque' }] : [];
    default:
      return [];
  }
}

function readMerge(node: JsonObject): Merge {
  const source = readPgFrom(node['sourceRelation'], readPg)[0]?.relation ?? relation('', '');
  return {
    kind: 'merge',
    target: readPgRelation(objectOf(node['relation'])),
    source,
    on: readPg(node['joinCondition']),
    clauses: listOf(node['mergeWhenClauses']).map((clause) => readClause(variantOf(clause)[1])),
  };
}

const ACTIONS: Readonly<Record<string, MergeClause['action']>> = {
  CMD_INSERT: 'insert',
  CMD_UPDATE: 'update',
  CMD_DELETE: 'delete',
};

function readClause(clause: JsonObject): MergeClause {
  const kind = textIn(clause['matchKind']);
  const when = kind.endsWith('BY_SOURCE')
    ? 'not-matched-by-source'
    : kind.endsWith('NOT_MATCHED_BY_TARGET') || kind.endsWith('NOT_MATCHED')
      ? 'not-matched'
      : 'matched';
  return {
    when,
    action: ACTIONS[textIn(clause['commandType'])] ?? 'nothing',
    condition: readPgCondition(clause['condition'], readPg),
  };
}
