// SPDX-License-Identifier: Apache-2.0
import type { Folded } from '@clyra/core/enforcement/partition-fold';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, OutgoingRecord, PartitionBatch } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { sealReceipts } from './seal-receipts.ts';

type Due = { readonly folded: Folded; readonly dueMs: number };

export type PublisherOptions = {
  readonly topic: string;
  readonly appender: LogAppender;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 0 for the first replica; a second one waits this long for the first before it publishes itself. */
  readonly publishDelayMs: number;
  readonly sendDeadlineMs: number;
};

const BODIES_MAX = 1_024;
const BYTES_MAX = 900_000;
/** What stands around a body: ten path steps of a full batch's signature block, chain, routing copies. */
const ENVELOPE_BYTES = 1_400;
const RETRY_MS = 50;
/**
 * How long a send may take at first; it doubles up to the send deadline with each one that fails. A lost answer holds up
 * everything behind it, while whoever waits for a receipt waits for a second only.
 */
const SEND_MIN_MS = 500;

/**
 * Publishes receipts in offset order, one send in flight for all partitions. An entry leaves only when it was
 * acknowledged or seen in the log, so a receipt in the log means that everything before it is there too. A failed
 * send is made anew: the bodies are the same bytes, and readers take the first.
 */
export class ReceiptPublisher {
  readonly #options: PublisherOptions;
  readonly #queues = new Map<number, Due[]>();
  #sending = false;
  #failureCount = 0;
  #stopped = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Receipts not yet known to be in the log. */
  get pendingCount(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.length;
    return count;
  }

  offer(partition: number, folded: Folded): void {
    const queue = this.#queueOf(partition);
    queue.push({ folded, dueMs: this.#options.clock.nowMs() + this.#options.publishDelayMs });
    this.#schedule();
  }

  /** A receipt for this offset stands in the log: everything up to it does. */
  seen(partition: number, offset: number): void {
    const queue = this.#queueOf(partition);
    while (queue[0] !== undefined && queue[0].folded.offset <= offset) queue.shift();
  }

  /** Ends sending for a partition that must not go on. */
  drop(partition: number): void {
    this.#queues.delete(partition);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
  }

  #queueOf(partition: number): Due[] {
    let queue = this.#queues.get(partition);
    if (queue === undefined) {
      queue = [];
      this.#queues.set(partition, queue);
    }
    return queue;
  }

  /** Sends now or when the first entry is due. Batches form by themselves: what comes during a send goes with the next. */
  #schedule(afterMs?: number): void {
    if (this.#sending || this.#stopped) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const waitMs = afterMs ?? this.#waitMs();
    if (waitMs === undefined) return;
    if (waitMs > 0) {
      this.#cancelTimer = this.#options.clock.after(waitMs, () => this.#schedule());
      return;
    }
    this.#sending = true;
    queueMicrotask(() => void this.#send());
  }

  #waitMs(): number | undefined {
    let dueMs: number | undefined;
    for (const [head] of this.#queues.values()) {
      if (head !== undefined && (dueMs === undefined || head.dueMs < dueMs)) dueMs = head.dueMs;
    }
    return dueMs === undefined ? undefined : Math.max(0, dueMs - this.#options.clock.nowMs());
  }

  #pick(): Map<number, Folded[]> {
    const nowMs = this.#options.clock.nowMs();
    const picked = new Map<number, Folded[]>();
    let count = 0;
    let bytes = 0;
    for (const [partition, queue] of this.#queues) {
      const part: Folded[] = [];
      for (const { folded, dueMs } of queue) {
        const size = folded.bytes.length + ENVELOPE_BYTES;
        if (dueMs > nowMs || count >= BODIES_MAX || bytes + size > BYTES_MAX) break;
        part.push(folded);
        count += 1;
        bytes += size;
      }
      if (part.length > 0) picked.set(partition, part);
    }
    return picked;
  }

  async #send(): Promise<void> {
    const picked = this.#pick();
    let retryMs: number | undefined;
    try {
      if (picked.size > 0) await this.#append(picked);
      for (const [partition, part] of picked) this.seen(partition, part.at(-1)?.offset ?? -1);
      this.#failureCount = 0;
    } catch (error) {
      this.#failureCount += 1;
      this.#options.logger.warn('receipts not acknowledged, sending again', { error: String(error) });
      retryMs = RETRY_MS;
    }
    this.#sending = false;
    this.#schedule(retryMs);
  }

  async #append(picked: ReadonlyMap<number, readonly Folded[]>): Promise<void> {
    const { codec, signer, topic, appender, sendDeadlineMs } = this.#options;
    const sealed = await sealReceipts([...picked.values()].flat(), { codec, signer });
    const batches: PartitionBatch[] = [];
    let from = 0;
    for (const [partition, part] of picked) {
      const records: OutgoingRecord[] = sealed.slice(from, from + part.length).map((value) => ({ key: null, value }));
      from += part.length;
      batches.push({ topic, partition, records });
    }
    await appender.append(batches, Math.min(SEND_MIN_MS * 2 ** Math.min(this.#failureCount, 16), sendDeadlineMs));
  }
}
