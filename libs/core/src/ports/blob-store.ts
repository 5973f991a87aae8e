// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** Of one piece of a blob that is read piece by piece. */
export const BLOB_PIECE_BYTES_MAX = 1_048_576;

/** Named immutable byte strings. Names are relative, `/`-separated, matching [a-z0-9][a-z0-9._-]* per segment. */
export interface BlobStore {
  /**
   * Durable (synced and visible whole or not at all) when it resolves. Writing the same bytes again is fine;
   * other bytes under an existing name reject with CLY_BLOB_CONFLICT.
   */
  put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * For what is known to be small: the content is in memory whole. undefined where there is none. Rejects with
   * CLY_BLOB_UNAVAILABLE (retry: backoff) when the store cannot be asked.
   */
  get(name: string): Promise<Uint8Array | undefined>;
  /**
   * For what may be large: at most BLOB_PIECE_BYTES_MAX at a time, the next piece only once it is asked for, each within
   * the store's deadline. It ends only when every byte has come; else it throws CLY_BLOB_UNAVAILABLE (retry: backoff), and
   * CLY_BLOB_MISSING (retry: backoff) where there is no such blob. A reader that stops early leaves nothing open.
   */
  read(name: string): AsyncIterable<Uint8Array>;
  has(name: string): Promise<boolean>;
  /** Full names below a prefix, sorted. */
  list(prefix: string): Promise<readonly string[]>;
}

/** What `read` throws where there is no such blob. */
export function missingBlob(name: string): ClyraError {
  return new ClyraError('CLY_BLOB_MISSING', `${name} is not in the blob store: restore it`, {
    retry: 'backoff',
    context: { name },
  });
}
