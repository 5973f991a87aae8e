// SPDX-License-Identifier: Apache-2.0
import { closed, digest, id, integer, list, matching } from '../json/shape.ts';

export const BATCH_SIZE_MAX = 1_024;
const PATH_LENGTH_MAX = 10;

/** A signature block (records.md §3): the place of a body in the tree of one send, and the signature of its root. */
export interface SignatureBlock {
  readonly index: number;
  readonly key_id: string;
  readonly path: readonly string[];
  readonly sig: string;
  readonly size: number;
}

export const readBlock = closed({
  index: integer(0, BATCH_SIZE_MAX - 1),
  key_id: id,
  path: list(digest, PATH_LENGTH_MAX),
  sig: matching(/^[A-Za-z0-9+/]{86}==$/, 'must be 64 bytes of base64'),
  size: integer(1, BATCH_SIZE_MAX),
});
