// SPDX-License-Identifier: Apache-2.0
import { base64Of, closed, digest, id, integer, list } from '../json/shape.ts';

export const BATCH_SIZE_MAX = 1_024;
const PATH_LENGTH_MAX = 10;

/** A signature block (records.md §3): the place of a body in the tree of one send, and the signature of its root. */
export interface SignatureBlock {
  readonly index: number;
  readonly key_id: string;
  readonly path: readonly string[];
  readonly sig: Buffer;
  readonly size: number;
}

export const readBlock = closed({
  index: integer(0),
  key_id: id,
  path: list(digest, PATH_LENGTH_MAX),
  sig: base64Of(64),
  size: integer(0),
});
