// SPDX-License-Identifier: Apache-2.0
import type { CommittedTransaction, DdlSummary, OperationCounts } from '@clyra/adapter-postgres/committed-transaction';
import type { AccumulatorLimits } from '@clyra/adapter-postgres/transaction-accumulator';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord, encodeRecordText } from '@clyra/core/canonical/record';
import {
  observationIdOf,
  type SourceIdentity,
  type TransactionDraft,
  type TransactionEffect,
} from './observation-draft.ts';
import { printable } from './printable.ts';
import { transactionText } from './transaction-text.ts';

/**
 * How much one body lists, so that the largest one stays below the 65,535 bytes of a record (docs/spec/records.md §1)
 * whatever the relations are called: 128 entries of at most 480 bytes, 64 tokens of 67 bytes. The limits are fixed,
 * not fitted to each transaction: the same transaction read again must give the same bytes.
 */
export const BODY_LIMITS: Partial<AccumulatorLimits> = { relationsMax: 128, messagesMax: 64 };

/**
 * The entry for all relations beyond the limit. No relation of PostgreSQL can be granted or guarded by this name, so
 * a reader must take it for any relation of the source: it may be a guarded one.
 */
export const UNLISTED_RELATION = { schema: '*', name: '*' } as const;

type RelationEntry = TransactionEffect['relations'][number];

/**
 * One observation for one committed transaction: its size does not depend on the number of rows. Its members are listed
 * in canonical order, in which they are written fastest.
 */
export function transactionDraft(identity: SourceIdentity, transaction: CommittedTransaction): TransactionDraft {
  const { systemId, timeline, commitEndLsn, ddl, unknownTypes, messageCounts } = transaction;
  const { tenant, sourceId } = identity;
  const observationId = observationIdOf({ systemId, timeline, lsn: commitEndLsn, ordinal: 0 });
  const effect: TransactionEffect = {
    committed_at: transaction.commitTimeMs,
    relations: relationsOf(transaction),
    token_hashes: transaction.executionTokenHashes,
  };
  const messageCount = messageCounts.clyra + messageCounts.other;
  const { xid } = transaction;
  if (ddl === undefined && unknownTypes === undefined && Number.isSafeInteger(effect.committed_at)) {
    const facts = { identity, observationId, systemId, timeline, commitEndLsn, xid, messageCount };
    const bytes = encodeRecordText(transactionText(facts, effect));
    return { kind: 'transaction', tenant, sourceId, observationId, bytes, effect };
  }
  const bytes = encodeRecord({
    commit_end_lsn: commitEndLsn,
    committed_at: effect.committed_at,
    ...(ddl === undefined ? {} : { ddl: ddlOf(ddl) }),
    kind: 'transaction',
    messages: messageCount,
    observation_id: observationId,
    relations: effect.relations,
    source_id: sourceId,
    system_id: systemId,
    tenant,
    timeline,
    token_hashes: effect.token_hashes,
    ...(unknownTypes === undefined ? {} : { unknown_types: unknownTypes.map(printable) }),
    v: 0,
    xid,
  });
  return { kind: 'transaction', tenant, sourceId, observationId, bytes, effect };
}

function ddlOf({ count, digest, tags }: DdlSummary): JsonObject {
  return { count, digest, tags: tags.map((tag) => ({ count: tag.count, tag: tag.tag })) };
}

function relationsOf({ relations, unlisted }: CommittedTransaction): RelationEntry[] {
  const listed = relations.map((relation) =>
    entryOf({ schema: printable(relation.schema), name: printable(relation.name) }, relation),
  );
  return unlisted === null ? listed : [...listed, entryOf(UNLISTED_RELATION, unlisted)];
}

function entryOf(
  relation: { readonly schema: string; readonly name: string },
  changes: { readonly operations: OperationCounts; readonly rowsDigest: string; readonly ddlCount?: number },
): RelationEntry {
  const { insert, update, delete: deleted, truncate } = changes.operations;
  const entry = {
    deletes: deleted,
    inserts: insert,
    name: relation.name,
    rows_digest: changes.rowsDigest,
    schema: relation.schema,
    truncates: truncate,
    updates: update,
  };
  return changes.ddlCount === undefined ? entry : { ddl: changes.ddlCount, ...entry };
}
