// SPDX-License-Identifier: Apache-2.0
import { parseReceipt } from '@clyra/core/evidence/read-receipt';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';
import { decodeOrSkip } from '../log/decode-or-skip.ts';
import { scanPartition } from '../log/scan-partition.ts';
import type { FindingsDesk } from './findings-desk.ts';

export type FollowerOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  /** clyra.receipts. */
  readonly topic: string;
  readonly desk: Pick<FindingsDesk, 'grant' | 'caughtUp'>;
  readonly deadlineMs: number;
};

const RETRY_MS = 1_000;

/** Reads the grants of each tenant whose source is recorded, from the partition that it was registered in. */
export class ReceiptFollower {
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  follow(tenant: string, partition: number): void {
    if (!this.#running.has(tenant)) this.#running.set(tenant, this.#run(tenant, partition));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  /** A failure costs time, never a grant: reading goes on where it stopped. */
  async #run(tenant: string, partition: number): Promise<void> {
    const { log, clock, logger, topic, deadlineMs } = this.#options;
    const { signal } = this.#stopping;
    let nextOffset = -1;
    while (!signal.aborted) {
      try {
        const start = (await log.startOffsets(topic, deadlineMs))[partition] ?? 0;
        const end = (await log.endOffsets(topic, deadlineMs))[partition] ?? 0;
        nextOffset = Math.max(nextOffset, start);
        if (nextOffset >= end) this.#options.desk.caughtUp(tenant);
        await scanPartition(log, clock, {
          name: `recorder-receipts-${tenant}`,
          topic,
          partition,
          fromOffset: nextOffset,
          visit: async (record) => {
            await this.#visit(tenant, record);
            nextOffset = record.offset + 1;
            if (nextOffset >= end) this.#options.desk.caughtUp(tenant);
            return false;
          },
          joinDeadlineMs: deadlineMs,
          signal,
        });
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (signal.aborted) return;
        logger.warn('receipts cannot be read, findings wait', { tenant, code: error.code, detail: error.message });
        await sleep(clock, RETRY_MS);
      }
    }
  }

  async #visit(tenant: string, { value }: LogRecord): Promise<void> {
    const { codec, desk } = this.#options;
    const envelope = decodeOrSkip(codec, 'ReceiptEnvelope', value);
    if (envelope?.tenant !== tenant || envelope.kind !== 'decided') return;
    const body = receiptOf(envelope.body);
    if (body?.kind !== 'decided' || body.decision !== 'allow') return;
    for (const grant of body.grants ?? []) {
      const { event_id, receipt_id, decided_at: not_before } = body;
      desk.grant(tenant, { ...grant, event_id, receipt_id, not_before, used_by: null });
    }
  }
}

/** undefined for what no enforcer wrote. */
function receiptOf(bytes: Uint8Array): ReturnType<typeof parseReceipt> | undefined {
  try {
    return parseReceipt(bytes);
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
