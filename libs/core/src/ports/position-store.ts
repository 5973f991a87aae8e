// SPDX-License-Identifier: Apache-2.0
/**
 * Where a reader of the log keeps how far it has come, so that a start need not read the topics from their beginning.
 * What it holds is never the only copy of anything: without it a reader begins anew and arrives at the same.
 */
export interface PositionStore {
  /**
   * undefined where none was saved. Rejects with CLY_POSITION_DAMAGED (retry: never) for one that is not as it was
   * saved, and with CLY_POSITION_UNREADABLE (retry: backoff).
   */
  load(name: string): Promise<object | undefined>;
  /** Replaces the one before, wholly or not at all. Rejects with CLY_POSITION_UNWRITTEN (retry: backoff). */
  save(name: string, position: object): Promise<void>;
}
