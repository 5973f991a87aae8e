// SPDX-License-Identifier: Apache-2.0
import { createHmac, type KeyObject } from 'node:crypto';
import { formatLsn } from '@clyra/adapter-postgres/lsn';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ID } from '@clyra/core/change/shape';
import type { RelationEffect } from '@clyra/core/reconciliation/ledger-entry';
import {
  type Incarnation,
  observationIdOf,
  type SourceIdentity,
  type TransactionDraft,
  transactionDraftOf,
} from '../observation/observation-draft.ts';
import { printable } from '../observation/printable.ts';
import { UNLISTED_RELATION } from '../observation/transaction-body.ts';
import type { ObservedStatement } from './observed-statement.ts';

const RELATIONS_MAX = 128;
const TOKENS_MAX = 64;
const HALF_DIGEST_SIZE = 32;

/** Where a statement stands among the observations of its source: the recorder numbers them, no history does. */
export type StatementPlace = Incarnation & { readonly position: bigint };

/** One observation for one statement or version (docs/spec/records.md §6): the same history gives the same bytes at the same place. */
export function statementDraft(
  identity: SourceIdentity,
  place: StatementPlace,
  { statement, key }: { readonly statement: ObservedStatement; readonly key: KeyObject },
): TransactionDraft {
  const { systemId, timeline, position } = place;
  const lsn = formatLsn(position);
  const rowsDigest = keyed(key, 'clyra.statement.v1', [statement.id, statement.content]);
  return transactionDraftOf(identity, observationIdOf({ systemId, timeline, lsn, ordinal: 0 }), {
    effect: {
      committed_at: statement.committedAtMs,
      relations: relationsOf(statement.relations).map((relation) => ({
        ...entryOf(relation),
        rows_digest: rowsDigest,
      })),
      token_hashes: statement.tokenHashes.slice(0, TOKENS_MAX),
    },
    members: {
      system_id: systemId,
      timeline,
      commit_end_lsn: lsn,
      xid: 0,
      messages: 0,
      statement: membersOf(statement, key),
    },
  });
}

function membersOf(statement: ObservedStatement, key: KeyObject): JsonObject {
  const { engine, id, operation, effectFrom, link, table, logDigest, runId, actorId, user } = statement;
  return {
    engine,
    id: printable(id),
    operation: printable(operation),
    effect_from: effectFrom,
    link,
    ...(statement.countsUnknown === true ? { counts_unknown: true } : {}),
    ...(statement.maintenance === true ? { maintenance: true } : {}),
    ...(statement.late === true ? { late: true } : {}),
    ...(statement.textCut === true ? { text_cut: true } : {}),
    ...(table === undefined ? {} : { table: printable(table) }),
    ...(logDigest === undefined ? {} : { log_digest: logDigest }),
    ...(runId !== undefined && ID.test(runId) ? { run_id: runId } : {}),
    ...(actorId !== undefined && ID.test(actorId) ? { actor_id: actorId } : {}),
    ...(user === undefined || user === ''
      ? {}
      : { user: keyed(key, 'clyra.user.v1', [user]).slice(0, HALF_DIGEST_SIZE) }),
  };
}

function entryOf({ schema, name, inserts, updates, deletes, truncates, ddl }: RelationEffect): RelationEffect {
  return {
    ...(schema === UNLISTED_RELATION.schema ? UNLISTED_RELATION : { schema: printable(schema), name: printable(name) }),
    inserts,
    updates,
    deletes,
    truncates,
    ...(ddl === undefined || ddl === 0 ? {} : { ddl }),
  };
}

/** What is beyond the limit is added up in one entry that stands for any relation. */
function relationsOf(relations: readonly RelationEffect[]): readonly RelationEffect[] {
  if (relations.length <= RELATIONS_MAX) return relations;
  const rest = relations.slice(RELATIONS_MAX);
  const sum = (count: (relation: RelationEffect) => number): number =>
    rest.reduce((total, relation) => total + count(relation), 0);
  return [
    ...relations.slice(0, RELATIONS_MAX),
    {
      ...UNLISTED_RELATION,
      inserts: sum(({ inserts }) => inserts),
      updates: sum(({ updates }) => updates),
      deletes: sum(({ deletes }) => deletes),
      truncates: sum(({ truncates }) => truncates),
      ddl: sum(({ ddl }) => ddl ?? 0),
    },
  ];
}

/** HMAC-SHA256 over the name of its use and each text with its length before it. */
function keyed(key: KeyObject, use: string, texts: readonly string[]): string {
  const mac = createHmac('sha256', key).update(`${use}\u0000`);
  for (const text of texts) {
    const bytes = Buffer.from(text, 'utf8');
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes.length);
    mac.update(size).update(bytes);
  }
  return mac.digest('hex');
}
