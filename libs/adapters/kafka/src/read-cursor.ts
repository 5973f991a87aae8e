// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogRecord, ReadFrom } from '@clyra/core/ports/record-log';
import type { OffsetRange } from './kafka-session.ts';
import type { FetchedPartition, FetchPosition } from './wire/fetch.ts';
import type { WireRecord } from './wire/record-batch.ts';

/** Where a reader stands in one partition. It, and not the broker, owns the position, across every reconnect. */
export class ReadCursor {
  readonly topic: string;
  readonly partition: number;
  paused = false;
  #nextOffset: number;

  constructor({ topic, partition, fromOffset }: ReadFrom) {
    assert(Number.isSafeInteger(fromOffset) && fromOffset >= 0, `${topic}/${partition} has no offset ${fromOffset}`);
    this.topic = topic;
    this.partition = partition;
    this.#nextOffset = fromOffset;
  }

  get position(): FetchPosition {
    return { topic: this.topic, partition: this.partition, fromOffset: this.#nextOffset };
  }

  /** Skips what retention has deleted; rejects a log that ends before what was already read. */
  checkAgainst({ startOffset, endOffset }: OffsetRange): void {
    const { topic, partition } = this;
    if (this.#nextOffset > endOffset) {
      // Reading on would hand out new records under offsets that were already handed out once.
      throw new ClyraError(
        'CLY_LOG_TRUNCATED',
        `${topic}/${partition} ends at ${endOffset}, before the reader's position ${this.#nextOffset}: ` +
          'stop the writers and compare the broker with its replicas or backup',
        { retry: 'backoff', context: { topic, partition, endOffset, nextOffset: this.#nextOffset } },
      );
    }
    this.#nextOffset = Math.max(this.#nextOffset, startOffset);
  }

  /** The records not yet handed out. The position moves behind the last batch of the answer. */
  take(fetched: FetchedPartition): LogRecord[] {
    // A broker answers with whole batches, so the first records may lie before the position.
    const from = this.#nextOffset;
    const records: LogRecord[] = [];
    for (const message of fetched.messages) {
      if (message.offset < from) continue;
      if (!message.isControlRecord) records.push(toRecord(fetched, message));
    }
    const last = fetched.messages.at(-1);
    if (last !== undefined) this.#nextOffset = Math.max(from, last.batchEnd);
    return records;
  }
}

export function toRecord({ topic, partition }: FetchedPartition, message: WireRecord): LogRecord {
  const { offset, key, value, timestampMs, headers } = message;
  const record = { topic, partition, offset, appendTimeMs: timestampMs, key, value };
  return headers === undefined ? record : { ...record, headers };
}
