// SPDX-License-Identifier: Apache-2.0
import type { SourceIdentity, TransactionEffect } from './observation-draft.ts';

/**
 * What a body says beside its effect. Numbers are safe integers and never -0, digests and positions are our own hexadecimal:
 * these are written as they stand. Texts of others are quoted.
 */
export type TransactionFacts = {
  readonly identity: SourceIdentity;
  readonly observationId: string;
  readonly systemId: string;
  readonly timeline: number;
  readonly commitEndLsn: string;
  readonly xid: number;
  readonly messageCount: number;
};

/**
 * The canonical text of the body of a transaction without schema changes and without types that are not PostgreSQL's
 * own, as nearly all are: what `encodeRecord` would write of its members, without making them.
 */
export function transactionText(facts: TransactionFacts, effect: TransactionEffect): string {
  const { identity, observationId, systemId, timeline, commitEndLsn, xid, messageCount } = facts;
  const tokens = effect.token_hashes.length === 0 ? '' : `"${effect.token_hashes.join('","')}"`;
  let relations = '';
  for (const relation of effect.relations) relations += `${relations === '' ? '' : ','}${relationText(relation)}`;
  return (
    `{"commit_end_lsn":"${commitEndLsn}","committed_at":${effect.committed_at},"kind":"transaction",` +
    `"messages":${messageCount},"observation_id":"${observationId}","relations":[${relations}],` +
    `"source_id":${JSON.stringify(identity.sourceId)},"system_id":${JSON.stringify(systemId)},` +
    `"tenant":${JSON.stringify(identity.tenant)},"timeline":${timeline},"token_hashes":[${tokens}],"v":0,"xid":${xid}}`
  );
}

function relationText(relation: TransactionEffect['relations'][number]): string {
  const ddl = relation.ddl === undefined ? '' : `"ddl":${relation.ddl},`;
  const { deletes, inserts, name, rows_digest: digest, schema, truncates, updates } = relation;
  return (
    `{${ddl}"deletes":${deletes},"inserts":${inserts},"name":${JSON.stringify(name)},"rows_digest":"${digest}",` +
    `"schema":${JSON.stringify(schema)},"truncates":${truncates},"updates":${updates}}`
  );
}
