// SPDX-License-Identifier: Apache-2.0
import type { ClyraError } from '@clyra/core/kernel/error';
import type { Coverage } from '../observation/coverage-body.ts';
import type { HistoryGap, ObservedStatement } from './observed-statement.ts';

/** Which warehouse answers, and its clock in milliseconds. */
export type WarehouseFacts = { readonly systemId: string; readonly nowMs: number };

export type ToldVersion = {
  readonly version: number;
  readonly atMs: number;
  /** Of its file, where that was read. */
  readonly logDigest?: string;
};

export type HistoryRequest = {
  /** The warehouse's clock just before. */
  readonly nowMs: number;
  /** Observation of this source began here: what ended before is none of its business. */
  readonly beganMs: number;
  /** Until when everything is in the log. */
  readonly horizonMs: number;
  /** Whether a statement is in the log. */
  readonly isKnown: (id: string) => boolean;
  /** The newest version of a table that is in the log, as far as the log was read back. */
  readonly newestTold: (table: string) => ToldVersion | undefined;
  /** Whether a gap in the log says that this table's own log was set back. */
  readonly wasSetBack: (table: string) => boolean;
  /** What the coverage in the log lists; empty at the first pass of a source. */
  readonly covered: ReadonlySet<string>;
  /** Of the look before, once the log has what it gave; empty at the first look of a session. */
  readonly resume: Resume;
};

/** Of each part of the history that is read by itself, where a look ended that could hold no more and came not as far as the horizon. */
export type Resume = ReadonlyMap<string, number>;

/** What one look at a warehouse's history gave. */
export type HistoryPass = {
  /** Those that the log does not have, in the order in which they are to be written. */
  readonly statements: readonly ObservedStatement[];
  readonly gaps: readonly HistoryGap[];
  /** Everything that ended before (ms) is in the log once `statements` are. Never beyond what the warehouse promises. */
  readonly coversUntilMs: number;
  /** Statements that are seen but not told yet, because their effect may still become known. */
  readonly heldCount: number;
  readonly resume: Resume;
  /** The history has more to tell already: the next look need not wait. */
  readonly isBehind: boolean;
  /** Why the horizon stands although there was an answer. */
  readonly trouble?: ClyraError;
};

/** One warehouse to be recorded. Every rejection is a ClyraError; `retry` says whether waiting helps. */
export interface HistorySource {
  /** How far back of the horizon statements are looked for, in milliseconds: so long a start reads the log back. */
  readonly overlapMs: number;
  /** How far into the future of the horizon a statement may have ended that is in the log already, in milliseconds. */
  readonly lagMs: number;
  facts(): Promise<WarehouseFacts>;
  coverage(): Promise<Coverage>;
  read(request: HistoryRequest): Promise<HistoryPass>;
  close(): Promise<void>;
}
