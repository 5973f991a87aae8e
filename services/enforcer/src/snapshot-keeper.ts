// SPDX-License-Identifier: Apache-2.0
import { encodeSnapshot, type PartitionSnapshot } from '@clyra/core/enforcement/partition-snapshot';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, RecordLog } from '@clyra/core/ports/record-log';

export type SnapshotKeeperOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  readonly sendDeadlineMs: number;
};

const WAITING_MAX = 64;
const RETRY_MS = 1_000;

export function snapshotKey(partition: number): string {
  return `partition/${partition}`;
}

/**
 * Publishes where a fold can go on. A snapshot is taken at a cut and published once the cut's receipt stands in the
 * log, so a loader never trusts a state that no receipt committed to. Only the newest of a partition matters.
 */
export class SnapshotKeeper {
  readonly #options: SnapshotKeeperOptions;
  readonly #appender: LogAppender;
  /** Taken, by partition, in offset order; the cut's receipt has not been seen yet. */
  readonly #waiting = new Map<number, PartitionSnapshot[]>();
  readonly #due = new Map<number, PartitionSnapshot>();
  #busy = false;

  constructor(options: SnapshotKeeperOptions) {
    this.#options = options;
    this.#appender = options.log.appender('enforcer-snapshots');
  }

  taken(snapshot: PartitionSnapshot): void {
    const waiting = this.#waiting.get(snapshot.partition) ?? [];
    waiting.push(snapshot);
    if (waiting.length > WAITING_MAX) waiting.shift();
    this.#waiting.set(snapshot.partition, waiting);
  }

  /** The receipts of a partition are in the log up to this change offset. */
  published(partition: number, offset: number): void {
    const waiting = this.#waiting.get(partition);
    if (waiting === undefined || (waiting[0]?.offset ?? Number.POSITIVE_INFINITY) > offset) return;
    while (waiting[0] !== undefined && waiting[0].offset <= offset) {
      this.#due.set(partition, waiting.shift() as PartitionSnapshot);
    }
    if (!this.#busy) void this.#drain();
  }

  close(): Promise<void> {
    this.#due.clear();
    return this.#appender.close();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      const [partition, snapshot] = next;
      try {
        await this.#write(partition, snapshot);
        if (this.#due.get(partition) === snapshot) this.#due.delete(partition);
      } catch (error) {
        this.#options.logger.warn('snapshot not published, trying again', { partition, error: String(error) });
        await sleep(this.#options.clock, RETRY_MS);
      }
    }
    this.#busy = false;
  }

  #next(): [number, PartitionSnapshot] | undefined {
    return this.#due.entries().next().value;
  }

  async #write(partition: number, snapshot: PartitionSnapshot): Promise<void> {
    const { codec, topic, sendDeadlineMs, logger } = this.#options;
    const pointer = encodeSnapshot(snapshot);
    if (pointer === undefined) {
      logger.warn('too many tenants for one snapshot: this partition folds from its start', { partition });
      return;
    }
    const key = snapshotKey(partition);
    const value = codec.encode('SnapshotEnvelope', { pointer, key });
    const records = [{ key: Buffer.from(key, 'utf8'), value }];
    await this.#appender.append([{ topic, partition, records }], sendDeadlineMs);
  }
}
