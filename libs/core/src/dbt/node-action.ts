// SPDX-License-Identifier: Apache-2.0
import type { DbtNode } from './read-manifest.ts';
import type { DbtResult } from './read-run-results.ts';

/** What dbt did for one node, as its artifacts record it. */
export type DbtAction =
  /** Made the relation anew from the compiled query. `append`: changed the table that stood there. */
  | { readonly does: 'table' | 'view' | 'append'; readonly sql: string }
  | { readonly does: 'load' }
  | { readonly does: 'count'; readonly sql: string; readonly failures: number };

/** Why a node is not repeated. */
export type NotRepeated = { readonly code: `CLY_REPLAY_DBT_${string}`; readonly why: string };

const ENDED: Readonly<Record<string, true>> = { success: true, pass: true, fail: true, warn: true };

/** A node of any other status left nothing: dbt rolled it back, or never began. `partial success` left something. */
export function hasEffect({ status }: DbtResult): boolean {
  return ENDED[status] === true || status === 'partial success';
}

export function actionOf(node: DbtNode, result: DbtResult): DbtAction | NotRepeated {
  if (node.type === 'seed') return { does: 'load' };
  const { compiled: sql = node.compiled } = result;
  if (node.language !== 'sql') return unknown(`is written in ${node.language}`);
  if (result.status === 'partial success') return unknown('was built in part');
  if (sql === undefined) return unknown('has no compiled SQL in its artifacts');
  if (node.type === 'test') return countOf(node, result, sql);
  if (node.type !== 'model') return unknown(`is a ${node.type}`);
  if (node.hasContract) return unknown('has a contract, whose column types stand in no artifact as they were made');
  if (node.materialized === 'table' || node.materialized === 'view') return { does: node.materialized, sql };
  if (node.materialized === 'incremental') return incrementOf(node, result, sql);
  return unknown(`is materialized as ${node.materialized}`);
}

function countOf(node: DbtNode, { failures }: DbtResult, sql: string): DbtAction | NotRepeated {
  if (node.storesFailures) return unknown('stores its failures');
  if (failures === undefined) return unknown('has no count of failures');
  return { does: 'count', sql, failures };
}

/** CREATE TABLE AS answers SELECT: the table was made anew, and the query holds no part for what was there. */
function incrementOf(node: DbtNode, { command }: DbtResult, sql: string): DbtAction | NotRepeated {
  if (command === 'SELECT') return { does: 'table', sql };
  if (node.incrementalStrategy === 'microbatch') return unknown('is built in microbatches');
  const { onSchemaChange: onChange } = node;
  if (onChange !== 'ignore' && onChange !== 'fail')
    return unknown(`changes its columns (on_schema_change ${onChange})`);
  return { does: 'append', sql };
}

function unknown(why: string): NotRepeated {
  return { code: 'CLY_REPLAY_DBT_KIND', why };
}
