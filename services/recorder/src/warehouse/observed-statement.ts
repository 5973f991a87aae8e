// SPDX-License-Identifier: Apache-2.0
import type { RelationEffect } from '@clyra/core/reconciliation/ledger-entry';

/** How a statement came by its token: what the warehouse's own procedure left weighs more than what a session says of itself. */
export type TokenLink = 'redemption' | 'query_tag' | 'user_metadata' | 'none';

/** One statement of Snowflake, or one commit version of a Delta table, as the warehouse's history tells it. */
export type ObservedStatement = {
  readonly engine: 'snowflake' | 'databricks';
  /** The query id, or `<table id>@<version>`: what makes it one and the same. */
  readonly id: string;
  /** As the history names it: `MERGE`, `CREATE OR REPLACE TABLE AS SELECT`. */
  readonly operation: string;
  /** Milliseconds, the warehouse's clock. */
  readonly committedAtMs: number;
  /** `*`.`*` where the history does not say what was changed. */
  readonly relations: readonly RelationEffect[];
  /** Where the relations were learnt. */
  readonly effectFrom: 'access_history' | 'statement_text' | 'table_history' | 'nowhere';
  readonly tokenHashes: readonly string[];
  readonly link: TokenLink;
  /** What the keyed digests are made of: nothing of it is published. */
  readonly content: string;
  /** The history did not say how many rows: the counts are the least that the operation means. */
  readonly countsUnknown?: true;
  /** OPTIMIZE, VACUUM and their like: a version without a change of data. */
  readonly maintenance?: true;
  /** It appeared after the horizon had passed it. */
  readonly late?: true;
  /** The history has only the beginning of the text. */
  readonly textCut?: true;
  /** Of the table whose version it is: `catalog.schema.table`. */
  readonly table?: string;
  /** SHA-256 of the version's file in `_delta_log`. */
  readonly logDigest?: string;
  readonly runId?: string;
  readonly actorId?: string;
  readonly user?: string;
};

export type HistoryGap = { readonly from: string; readonly to: string; readonly reason: string };

/** Reason of the gap of a table whose log holds other commits than those that were told: from `<table>@<version>` on. */
export const SET_BACK = 'log_set_back';

/** Reason of the gap of a statement (`to`) that other views name, and the history never showed. */
export const STATEMENT_MISSING = 'statement_missing';

/** As a place in a warehouse's history is written: a time in milliseconds. */
export function placeOf(atMs: number): string {
  return `@${atMs}`;
}

const PLACE = /^@([0-9]{1,15})$/;

export function timeOfPlace(text: string): number | undefined {
  const digits = PLACE.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * A commit of a table by the table's name. CREATE OR REPLACE gives a table another id, RESTORE of an earlier version
 * gives the first one back, and both leave the history as it was: the id of a statement does not say whether it was told.
 */
export function commitKey(table: string, version: number | string, atMs: number): string {
  return `${table}@${version} ${placeOf(atMs)}`;
}
