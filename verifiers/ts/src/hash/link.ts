// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';

const PREFIX = Buffer.from('clyra/prev/v0\n');
const BODY_BYTES_MAX = 65_535;
/** Used again for each body: its first bytes stay the prefix. */
const input = Buffer.concat([PREFIX, Buffer.alloc(BODY_BYTES_MAX)]);

/** The link to a body (records.md §2), as hex digits. */
export function linkTo(body: Uint8Array): string {
  input.set(body, PREFIX.length);
  return hash('sha256', input.subarray(0, PREFIX.length + body.length), 'hex');
}
