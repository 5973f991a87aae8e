// SPDX-License-Identifier: Apache-2.0
/** Named immutable byte strings. Names are relative, `/`-separated, matching [a-z0-9][a-z0-9._-]* per segment. */
export interface BlobStore {
  /**
   * Durable (synced and visible whole or not at all) when it resolves. Writing the same bytes again is fine;
   * other bytes under an existing name reject with CLY_BLOB_CONFLICT.
   */
  put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** undefined where there is none. Rejects with CLY_BLOB_UNAVAILABLE (retry: backoff) when the store cannot be asked. */
  get(name: string): Promise<Uint8Array | undefined>;
  has(name: string): Promise<boolean>;
  /** Full names below a prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}
