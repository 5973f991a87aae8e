// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogRecord, ReadFrom } from '@clyra/core/ports/record-log';
import {
  type FetchedMessage,
  type FetchedPartition,
  type FetchPosition,
  type OffsetRange,
  safeOffset,
} from './kafka-session.ts';

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
    const fresh = fetched.messages.filter(({ offset }) => Number(offset) >= this.#nextOffset);
    const last = fetched.messages.at(-1);
    if (last !== undefined) this.#nextOffset = Math.max(this.#nextOffset, endOfBatch(last));
    return fresh.filter(({ isControlRecord }) => !isControlRecord).map((message) => toRecord(fetched, message));
  }
}

export function toRecord({ topic, partition }: FetchedPartition, message: FetchedMessage): LogRecord {
  const { key, value, timestamp } = message;
  return { topic, partition, offset: safeOffset(message.offset), appendTimeMs: Number(timestamp), key, value };
}

/** Compaction may take the last records of a batch away; the batch still says where it ended. */
function endOfBatch({ offset, batchContext }: FetchedMessage): number {
  if (batchContext === undefined) return safeOffset(offset) + 1;
  return safeOffset(batchContext.firstOffset) + batchContext.lastOffsetDelta + 1;
}
