// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from './lsn.ts';

export type OperationCounts = {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  readonly truncate: number;
};

export type RelationChange = {
  readonly schema: string;
  readonly name: string;
  readonly operations: OperationCounts;
  /** Hex of the `RowsDigest` over this relation's changes in commit order. */
  readonly rowsDigest: string;
  /** How many schema changes the event triggers announced for it; absent where none. */
  readonly ddlCount?: number;
};

/** Changes of relations beyond the limit of a transaction: counted and digested together, never dropped. */
export type UnlistedChanges = {
  readonly operations: OperationCounts;
  readonly rowsDigest: string;
  readonly ddlCount?: number;
};

/** The schema changes that the event triggers announced; present only where the source has them. */
export type DdlSummary = {
  readonly count: number;
  /** Ascending; `*` stands for messages without a known tag. */
  readonly tags: readonly { readonly tag: string; readonly count: number }[];
  /** Hex of HMAC-SHA256 over "clyra.ddl.v1" 0x00 and, for each message in order, u32(size) and its content. */
  readonly digest: string;
};

/** A message whose prefix is `clyra` or begins with `clyra.`; its content never leaves as such. */
export type ObservedMessage = {
  readonly prefix: string;
  readonly contentSha256Hex: string;
  readonly transactional: true;
};

export type MessageCounts = {
  /** Messages that `messages` lists or would list without its limit. */
  readonly clyra: number;
  /** Messages of prefix exactly `clyra`: each carries one execution token. */
  readonly executionToken: number;
  /** Transactional messages of other programs. */
  readonly other: number;
};

/**
 * What one committed transaction did, in constant size. The same transaction delivered again, by another
 * connection too, gives deep-equal values as long as the digest key is the same.
 */
export type CommittedTransaction = {
  /** Decimal text: the cluster's identifier is 64 bits wide. */
  readonly systemId: string;
  readonly timeline: number;
  /** The position to confirm. With `systemId` and `timeline` it names the transaction for good. */
  readonly commitEndLsn: LsnText;
  readonly commitLsn: LsnText;
  /** Unsigned 32 bits, without the epoch: it repeats every four billion transactions. */
  readonly xid: number;
  readonly commitTimeMs: number;
  /** The replication origin when another server's change was applied here, else null. */
  readonly origin: string | null;
  /** Sorted by schema and name (UTF-16 code units); at most `relationsMax`. */
  readonly relations: readonly RelationChange[];
  /** null unless the transaction touched more than `relationsMax` relations. */
  readonly unlisted: UnlistedChanges | null;
  /** In order, at most `messagesMax`. */
  readonly messages: readonly ObservedMessage[];
  readonly messageCounts: MessageCounts;
  /** SHA-256 hex of each execution token in order, repetitions included, at most `messagesMax`. */
  readonly executionTokenHashes: readonly string[];
  /** Absent where no schema change was announced. */
  readonly ddl?: DdlSummary;
  /**
   * Types of changed columns that are not PostgreSQL's own (`schema.name`, ascending): their values are in the digests
   * as the server wrote them, and nothing here knows what they mean. Absent where none; at most `unknownTypesMax`, the
   * last one then `*`.
   */
  readonly unknownTypes?: readonly string[];
};
