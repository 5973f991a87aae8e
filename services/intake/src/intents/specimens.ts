// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { Posted, ReplyPost } from './reply-post.ts';

export type SpecimenParts = {
  readonly codec: EnvelopeCodec;
  readonly post: Pick<ReplyPost, 'post'>;
  readonly topic: string;
};

const HEADERS_MAX = 32;
const NAME_CHARS_MAX = 64;

/**
 * Copies to clyra.quarantine what can be answered to nobody. The payload stays behind: quarantine is kept for ever, and
 * a digest is enough to find the record in clyra.intents while it is there.
 */
export class Specimens {
  readonly #parts: SpecimenParts;

  constructor(parts: SpecimenParts) {
    this.#parts = parts;
  }

  keep(record: LogRecord, reason: string): Promise<Posted> {
    const { topic, partition, offset, key, value, headers = [] } = record;
    const specimen = {
      header_names: headers.slice(0, HEADERS_MAX).map(([name]) => name.slice(0, NAME_CHARS_MAX).toWellFormed()),
      key_digest: key === null ? null : digestOf(key),
      value_digest: value === null ? null : digestOf(value),
      value_size: value?.length ?? 0,
    };
    const envelope = this.#parts.codec.encode('QuarantineEnvelope', {
      record: Buffer.from(canonicalJson(specimen), 'utf8'),
      topic,
      partition,
      offset,
      reason,
    });
    return this.#parts.post.post(this.#parts.topic, { key: null, value: envelope });
  }
}
