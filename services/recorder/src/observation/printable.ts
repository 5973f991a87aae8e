// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';

/** A longer spelling is hashed: it keeps the largest body within a record, and no policy can name such a relation. */
const NAME_BYTES_MAX = 71;

/** What a record may hold and a policy can name is far less; the others (control characters, beyond U+FFFD) are hashed. */
const UNPRINTABLE = /[^\u0020-\u007e\u0080-\ufdcf\ufdf0-\ufffd]/u;

/** Most are, and their spelling takes as many bytes as it has letters. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A name of a source as a record may hold it (docs/spec/records.md §6). */
export function printable(name: string): string {
  if (name.length <= NAME_BYTES_MAX && PLAIN.test(name)) return name;
  const isLong = Buffer.byteLength(JSON.stringify(name)) - 2 > NAME_BYTES_MAX;
  return isLong || UNPRINTABLE.test(name) ? `sha256:${digestOf(name)}` : name;
}
