// SPDX-License-Identifier: Apache-2.0
import { createHmac, type Hmac, type KeyObject } from 'node:crypto';
import type { DdlSummary } from './committed-transaction.ts';

const DOMAIN = Buffer.from('clyra.ddl.v1\0', 'utf8');
/** Every version of PostgreSQL has far fewer event-trigger tags than this times ten; what is beyond is counted together. */
const TAGS_MAX = 16;
/** For commands beyond `TAGS_MAX`, and for messages that do not have the form of one. */
const OTHER_TAG = '*';

/** The schema changes of one open transaction: counts, and one keyed digest over all messages in order. */
export class DdlTally {
  readonly #hmac: Hmac;
  readonly #byTag = new Map<string, number>();
  #count = 0;

  constructor(digestKey: KeyObject) {
    this.#hmac = createHmac('sha256', digestKey).update(DOMAIN);
  }

  /** `tag` is undefined for a message that could not be read. */
  add(content: Uint8Array, tag: string | undefined): void {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(content.length);
    this.#hmac.update(size).update(content);
    this.#count += 1;
    const known = tag !== undefined && (this.#byTag.has(tag) || this.#byTag.size < TAGS_MAX - 1);
    const key = known ? tag : OTHER_TAG;
    this.#byTag.set(key, (this.#byTag.get(key) ?? 0) + 1);
  }

  finish(): DdlSummary {
    const tags = [...this.#byTag]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([tag, count]) => ({ tag, count }));
    return { count: this.#count, tags, digest: this.#hmac.digest('hex') };
  }
}
