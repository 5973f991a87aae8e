// SPDX-License-Identifier: Apache-2.0
/**
 * The messages of the pgoutput plugin, protocol version 1 (PostgreSQL manual, "Logical Replication Message
 * Formats"). Byte fields are views into the received buffer: they are valid only until the handler returns.
 */

/** Old rows come as the key columns or as the full row, according to the replica identity of the relation. */
export type OldTupleKind = 'none' | 'key' | 'full';

export type BeginMessage = {
  readonly kind: 'begin';
  /** Start of the commit record; the same number as `commitLsn` of the commit message. */
  readonly finalLsn: bigint;
  readonly commitTimeMs: number;
  /** Unsigned 32 bits, without the epoch. */
  readonly xid: number;
};

export type CommitMessage = {
  readonly kind: 'commit';
  readonly commitLsn: bigint;
  /** The byte after the commit record: the position to confirm once this transaction is durable elsewhere. */
  readonly endLsn: bigint;
  readonly commitTimeMs: number;
};

export type OriginMessage = { readonly kind: 'origin'; readonly originLsn: bigint; readonly name: string };

export type RelationColumn = {
  readonly name: string;
  readonly isKey: boolean;
  readonly typeOid: number;
  readonly typeModifier: number;
};

export type RelationMessage = {
  readonly kind: 'relation';
  readonly relationOid: number;
  /** The wire leaves `pg_catalog` empty; here it is written out. */
  readonly schema: string;
  readonly name: string;
  /** `d` default, `n` nothing, `f` full, `i` index. */
  readonly replicaIdentity: string;
  readonly columns: readonly RelationColumn[];
};

export type TypeMessage = {
  readonly kind: 'type';
  readonly typeOid: number;
  readonly schema: string;
  readonly name: string;
};

/**
 * One changed row. `body` is the message after the relation's oid: tuple kinds, column counts, and for each
 * column a marker (`n` null, `u` unchanged TOAST, `t` text, `b` binary) with a length before each value. Its
 * structure is checked; its values are never parsed.
 */
export type RowMessage = {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly relationOid: number;
  readonly oldTuple: OldTupleKind;
  readonly body: Uint8Array;
};

export type TruncateMessage = {
  readonly kind: 'truncate';
  readonly cascade: boolean;
  readonly restartIdentity: boolean;
  readonly relationOids: readonly number[];
};

export type LogicalMessage = {
  readonly kind: 'message';
  /** A non-transactional message is sent even when the transaction that wrote it rolls back. */
  readonly transactional: boolean;
  readonly lsn: bigint;
  readonly prefix: string;
  readonly content: Uint8Array;
};

export type PgoutputMessage =
  | BeginMessage
  | CommitMessage
  | OriginMessage
  | RelationMessage
  | TypeMessage
  | RowMessage
  | TruncateMessage
  | LogicalMessage;
