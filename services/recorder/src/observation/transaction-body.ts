// SPDX-License-Identifier: Apache-2.0
import type { CommittedTransaction, OperationCounts } from '@clyra/adapter-postgres/committed-transaction';
import type { AccumulatorLimits } from '@clyra/adapter-postgres/transaction-accumulator';
import {
  observationIdOf,
  type SourceIdentity,
  type TransactionDraft,
  type TransactionEffect,
  transactionDraftOf,
} from './observation-draft.ts';
import { printable } from './printable.ts';

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

/** One observation for one committed transaction: its size does not depend on the number of rows. */
export function transactionDraft(identity: SourceIdentity, transaction: CommittedTransaction): TransactionDraft {
  const { systemId, timeline, commitEndLsn, ddl, unknownTypes } = transaction;
  const observationId = observationIdOf({ systemId, timeline, lsn: commitEndLsn, ordinal: 0 });
  return transactionDraftOf(identity, observationId, {
    effect: {
      committed_at: transaction.commitTimeMs,
      relations: relationsOf(transaction),
      token_hashes: [...transaction.executionTokenHashes],
    },
    members: {
      system_id: systemId,
      timeline,
      commit_end_lsn: commitEndLsn,
      xid: transaction.xid,
      messages: transaction.messageCounts.clyra + transaction.messageCounts.other,
      ...(ddl === undefined
        ? {}
        : { ddl: { count: ddl.count, digest: ddl.digest, tags: ddl.tags.map((tag) => ({ ...tag })) } }),
      ...(unknownTypes === undefined ? {} : { unknown_types: unknownTypes.map(printable) }),
    },
  });
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
  return {
    ...relation,
    inserts: insert,
    updates: update,
    deletes: deleted,
    truncates: truncate,
    rows_digest: changes.rowsDigest,
    ...(changes.ddlCount === undefined ? {} : { ddl: changes.ddlCount }),
  };
}
