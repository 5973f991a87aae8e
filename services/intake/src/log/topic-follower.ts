// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec, EnvelopeName } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogReader, ReadBatch, RecordLog } from '@clyra/core/ports/record-log';
import { type DecodedRecord, PartitionQueue } from './partition-queue.ts';

export type FollowerParts<Name extends EnvelopeName> = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  readonly name: Name;
  readonly onRecord: (record: DecodedRecord<Name>) => void;
  readonly onConnection?: (state: 'connected' | 'lost') => void;
};

const QUEUE_PAUSE_COUNT = 20_000;
const QUEUE_RESUME_COUNT = 2_000;

/** Reads a whole topic from given places and goes on for ever; `caughtUp` resolves at what was its end at the start. */
export class TopicFollower<Name extends EnvelopeName> {
  readonly #parts: FollowerParts<Name>;
  readonly #queues = new Map<number, PartitionQueue<Name>>();
  readonly #behind = new Map<number, number>();
  readonly #paused = new Set<number>();
  #reader: LogReader | undefined;
  #caughtUp: () => void = () => {};
  readonly caughtUp: Promise<void>;

  constructor(parts: FollowerParts<Name>) {
    this.#parts = parts;
    this.caughtUp = new Promise((resolve) => {
      this.#caughtUp = resolve;
    });
  }

  /** Rejects with CLY_LOG_UNREACHABLE when the log cannot be asked within the deadline. */
  async start(from: readonly number[], deadlineMs: number): Promise<void> {
    const { log, topic, onConnection = () => {} } = this.#parts;
    const ends = await log.endOffsets(topic, deadlineMs);
    from.forEach((offset, partition) => {
      this.#queues.set(partition, this.#queue());
      if (offset < (ends[partition] as number)) this.#behind.set(partition, ends[partition] as number);
    });
    if (this.#behind.size === 0) this.#caughtUp();
    const assignments = from.map((fromOffset, partition) => ({ topic, partition, fromOffset }));
    const onBatch = (batch: ReadBatch): void => this.#receive(batch);
    const request = { name: `intake-${topic}`, assignments, onBatch, onConnection };
    this.#reader = await log.read(request, deadlineMs);
  }

  async close(): Promise<void> {
    await this.#reader?.close();
  }

  #receive({ partition, records }: ReadBatch): void {
    const queue = this.#queues.get(partition);
    if (queue === undefined) return;
    queue.push(records);
    if (queue.size > QUEUE_PAUSE_COUNT && this.#reader !== undefined) {
      this.#paused.add(partition);
      this.#reader.pause(this.#parts.topic, partition);
    }
  }

  #queue(): PartitionQueue<Name> {
    const { codec, clock, logger, name, onRecord } = this.#parts;
    const onPosition = (partition: number, nextOffset: number): void => this.#moved(partition, nextOffset);
    return new PartitionQueue({ codec, clock, logger, name, onRecord, onPosition });
  }

  #moved(partition: number, nextOffset: number): void {
    const end = this.#behind.get(partition);
    if (end !== undefined && nextOffset >= end) {
      this.#behind.delete(partition);
      if (this.#behind.size === 0) this.#caughtUp();
    }
    if (this.#paused.size > 0 && this.#paused.has(partition)) {
      if ((this.#queues.get(partition)?.size ?? 0) > QUEUE_RESUME_COUNT) return;
      this.#paused.delete(partition);
      this.#reader?.resume(this.#parts.topic, partition);
    }
  }
}
