// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { BATCH_BODIES_MAX, blockToJson, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import type { OutgoingChange } from './change-writer.ts';

export type PublisherParts = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
};

/** `expired`: it was never sent, and never will be. */
export type Published = 'stored' | 'expired';

type Waiting = {
  readonly change: OutgoingChange;
  readonly expiresAtMs: number;
  readonly resolve: (published: Published) => void;
  readonly reject: (error: unknown) => void;
};

const APPEND_DEADLINE_MS = 3_000;
const RETRY_PAUSE_MS = 100;
const SEND_BYTES_MAX = 786_432;
const LANE_COUNT_MAX = 50_000;

/**
 * Sends changes to their partitions: one send in flight per partition, and what comes meanwhile goes together in the
 * next one under one signature. A send whose fate is unknown is repeated with the same bytes until the log confirms
 * it; the enforcer knows a repeated event id.
 */
export class ChangePublisher {
  readonly #parts: PublisherParts;
  readonly #lanes = new Map<number, Lane>();
  #closed = false;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the change is durable, or `expired` if `expiresAtMs` came before its turn. Rejects with
   * CLY_INTAKE_QUEUE_FULL (retry: backoff), or with what the log refuses for ever.
   */
  publish(change: OutgoingChange, expiresAtMs = Number.POSITIVE_INFINITY): Promise<Published> {
    let lane = this.#lanes.get(change.partition);
    if (lane === undefined) {
      lane = new Lane(this.#parts, change.partition, () => this.#closed);
      this.#lanes.set(change.partition, lane);
    }
    return lane.add(change, expiresAtMs);
  }

  /** Ends after the sends in flight; what still waits rejects with CLY_INTAKE_STOPPING. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
  }
}

class Lane {
  readonly #parts: PublisherParts;
  readonly #appender: LogAppender;
  readonly #partition: number;
  readonly #isClosed: () => boolean;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(parts: PublisherParts, partition: number, isClosed: () => boolean) {
    this.#parts = parts;
    this.#partition = partition;
    this.#isClosed = isClosed;
    this.#appender = parts.log.appender(`intake-changes-${partition}`);
  }

  add(change: OutgoingChange, expiresAtMs: number): Promise<Published> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed()) return reject(stopping());
      if (this.#waiting.length >= LANE_COUNT_MAX) return reject(queueFull());
      this.#waiting.push({ change, expiresAtMs, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#appender.close();
  }

  async #run(): Promise<void> {
    // One turn of the microtask queue: requests that were read together are sent together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      if (batch.length > 0) await this.#send(batch);
      if (this.#isClosed()) for (const left of this.#waiting.splice(0)) left.reject(stopping());
    }
    this.#running = undefined;
  }

  #take(): Waiting[] {
    const nowMs = this.#parts.clock.nowMs();
    const batch: Waiting[] = [];
    let sizeBytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (batch.length === BATCH_BODIES_MAX || sizeBytes > SEND_BYTES_MAX) break;
      taken += 1;
      if (waiting.expiresAtMs <= nowMs) {
        waiting.resolve('expired');
        continue;
      }
      batch.push(waiting);
      sizeBytes += waiting.change.body.length + 1_024;
    }
    this.#waiting = this.#waiting.slice(taken);
    return batch;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const { clock, logger, topic } = this.#parts;
    const records = await this.#encode(batch);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#appender.append([{ topic, partition: this.#partition, records }], APPEND_DEADLINE_MS);
        for (const waiting of batch) waiting.resolve('stored');
        return;
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (error.retry === 'never' || this.#isClosed()) {
          for (const waiting of batch) waiting.reject(error);
          return;
        }
        if (attempt === 1) {
          logger.warn('changes not confirmed, sending them again', { code: error.code, partition: this.#partition });
        }
        await sleep(clock, RETRY_PAUSE_MS);
      }
    }
  }

  async #encode(batch: readonly Waiting[]): Promise<OutgoingRecord[]> {
    const { codec, signer } = this.#parts;
    const blocks = await signBatch(
      signer,
      CHANGE_TYPE,
      batch.map(({ change }) => change.digest),
    );
    return batch.map(({ change }, index) => ({
      key: Buffer.from(change.tenant, 'utf8'),
      value: codec.encode('ChangeEnvelope', {
        body: change.body,
        signature: Buffer.from(canonicalJson(blockToJson(blocks[index] as (typeof blocks)[number])), 'utf8'),
        tenant: change.tenant,
        kind: change.kind,
        event_id: change.eventId,
      }),
    }));
  }
}

function stopping(): ClyraError {
  return new ClyraError('CLY_INTAKE_STOPPING', 'intake is stopping: ask another instance', { retry: 'backoff' });
}

function queueFull(): ClyraError {
  return new ClyraError('CLY_INTAKE_QUEUE_FULL', 'too many changes wait for the log: repeat the request later', {
    retry: 'backoff',
  });
}
