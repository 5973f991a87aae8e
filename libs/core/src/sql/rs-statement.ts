// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { relation } from './build.ts';
import type { Query } from './expression.ts';
import { isRiskyFunction } from './risky-functions.ts';
import { functionName, readRs } from './rs-expression.ts';
import { objectName, readRsCondition, readRsFrom, readRsQuery, readRsTarget } from './rs-query.ts';
import type { Join, Merge, MergeClause, Reading, SimpleKind, Statement } from './statement.ts';
import { listOf, nodesIn, objectOf, type Tree, type TreeNode, textIn, variantOf } from './tree.ts';

const KINDS: readonly (readonly [kind: SimpleKind, variants: RegExp])[] = [
  ['read', /^(?:Query|Explain|ExplainTable|Show.*|Prepare|Deallocate|Fetch|Close|Open|List|ExportData|Print)$/],
  ['insert', /^(?:Insert|CopyIntoSnowflake)$/],
  ['truncate', /^Truncate$/],
  [
    'transaction',
    /^(?:Commit|Rollback|Savepoint|ReleaseSavepoint|Lock|LockTables|UnlockTables|Vacuum|Analyze|OptimizeTable|LISTEN|UNLISTEN|NOTIFY|Flush|Cache|UNCache)$/,
  ],
  ['session', /^(?:Set|Reset|Use|Discard|AlterSession|Pragma|Kill)$/],
  ['dynamic', /^Execute$/],
  ['procedural', /^(?:If|While|Case|Loop|For|Declare|Return|Raise|RaisError|Throw|Assert)$/],
  [
    'privilege',
    /^(?:Grant|Revoke|Deny|CreateRole|AlterRole|CreateUser|AlterUser|DropUser|CreatePolicy|AlterPolicy|DropPolicy)$/,
  ],
  ['ddl', /^(?:Create.*|Alter.*|Drop.*|Comment|Rename.*|Msck|Attach.*|Detach.*|Install|Load|Unload|Directory|Remove)$/],
];
const NESTED = new Set(['Update', 'Delete', 'Merge']);

/** What a statement is asked for, wherever in it that stands. */
const ASKED = new Set(['Update', 'Delete', 'Merge', 'Insert', 'into', 'Function', 'Table', 'with']);

/** The statements of sqlparser-rs. Throws TreeTooLarge. */
export function readRsTree(tree: Tree): Reading {
  const all = nodesIn(tree, ASKED);
  const top = listOf(tree);
  const statements: Statement[] = [];
  const ctes = new Map<string, Query>();
  for (const statement of top) {
    const [name, content] = variantOf(statement);
    if (!NESTED.has(name)) statements.push({ kind: kindOf(name, content) });
    if (name === 'Explain' && content['analyze'] !== true) continue;
    const nodes = top.length === 1 ? all : nodesIn(statement, ASKED);
    for (const node of nodes) statements.push(...nestedIn(node));
    collectCtes(nodes, ctes);
  }
  return { topCount: top.length, statements, ctes };
}

function kindOf(name: string, content: JsonObject): SimpleKind {
  if (name === 'StartTransaction') {
    const plain = listOf(content['statements']).length === 0 && content['has_end_keyword'] !== true;
    return plain ? 'transaction' : 'procedural';
  }
  if (name === 'Copy') return copyKind(content);
  return KINDS.find(([, variants]) => variants.test(name))?.[0] ?? 'opaque';
}

function copyKind(content: JsonObject): SimpleKind {
  const file = isJsonObject(content['target']);
  if (file) return 'opaque';
  return content['to'] === true ? 'read' : 'insert';
}

function nestedIn({ name, content: node }: TreeNode): Statement[] {
  switch (name) {
    case 'Update':
      return node['table'] === undefined || node['assignments'] === undefined ? [] : [readUpdate(node)];
    case 'Delete':
      return node['from'] === undefined ? [] : [readDelete(node)];
    case 'Merge':
      return node['clauses'] === undefined ? [] : [readMerge(node)];
    case 'Insert':
      return node['overwrite'] === true ? [{ kind: isOnePartition(node) ? 'insert' : 'overwrite' }] : [];
    case 'into':
      return node['name'] === undefined ? [] : [{ kind: 'ddl' }];
    case 'Function':
      return isRiskyFunction(functionName(node)) ? [{ kind: 'opaque' }] : [];
    case 'Table':
      return isRiskyFunction(objectName(node['name']).toLowerCase()) ? [{ kind: 'opaque' }] : [];
    default:
      return [];
  }
}

/** `PARTITION (day = '…')` replaces that partition; without a value it replaces whatever the query brings. */
function isOnePartition(node: JsonObject): boolean {
  const parts = listOf(node['partitioned']);
  return parts.length > 0 && parts.every((part) => variantOf(part)[1]['op'] === 'Eq');
}

function readUpdate(node: JsonObject): Statement {
  const [target, ...joined] = readRsFrom(node['table'], readRs);
  const from = Object.values(objectOf(node['from'])).flatMap(listOf);
  return {
    kind: 'write',
    verb: 'update',
    targets: [target?.relation ?? relation('', '')],
    joins: [...joined, ...from.flatMap((item) => readRsFrom(item, readRs))],
    where: readRsCondition(node['selection'], readRs),
  };
}

function readDelete(node: JsonObject): Statement {
  const from = Object.values(objectOf(node['from']))
    .flatMap(listOf)
    .flatMap((item) => readRsFrom(item, readRs));
  const using = listOf(node['using']).flatMap((item) => readRsFrom(item, readRs));
  const where = readRsCondition(node['selection'], readRs);
  const named = listOf(node['tables']).map((name) => relation(objectName(name), ''));
  // `DELETE t FROM t JOIN s` names its targets, and everything after FROM is a join.
  if (named.length > 0) return { kind: 'write', verb: 'delete', targets: named, joins: [...from, ...using], where };
  const [target, ...rest] = from;
  const joins: readonly Join[] = [...rest, ...using];
  return { kind: 'write', verb: 'delete', targets: [target?.relation ?? relation('', '')], joins, where };
}

function readMerge(node: JsonObject): Merge {
  return {
    kind: 'merge',
    target: readRsTarget(node['table'], readRs),
    source: readRsTarget(node['source'], readRs),
    on: readRs(node['on']),
    clauses: listOf(node['clauses']).map((clause) => readClause(objectOf(clause))),
  };
}

const ACTIONS: Readonly<Record<string, MergeClause['action']>> = {
  Insert: 'insert',
  Update: 'update',
  Delete: 'delete',
};

function readClause(clause: JsonObject): MergeClause {
  const kind = textIn(clause['clause_kind']);
  const when = kind === 'NotMatchedBySource' ? 'not-matched-by-source' : kind === 'Matched' ? 'matched' : 'not-matched';
  const [action] = variantOf(clause['action']);
  return { when, action: ACTIONS[action] ?? 'nothing', condition: readRsCondition(clause['predicate'], readRs) };
}

function collectCtes(nodes: readonly TreeNode[], ctes: Map<string, Query>): void {
  for (const { name, content } of nodes) {
    if (name !== 'with') continue;
    for (const entry of listOf(content['cte_tables'])) {
      const cte = objectOf(entry);
      const known = textIn(objectOf(objectOf(cte['alias'])['name'])['value']).toLowerCase();
      ctes.set(known, readRsQuery(cte['query'], readRs));
    }
  }
}
