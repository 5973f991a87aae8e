// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogAppender, PartitionAppend, PartitionBatch } from '@clyra/core/ports/record-log';
import { type Deadline, deadlineIn, remainingMs, within } from './deadline.ts';
import { describeError, refusalRetry } from './kafka-errors.ts';
import type { KafkaSettings } from './kafka-options.ts';
import { KafkaSession } from './kafka-session.ts';

/**
 * Not idempotent, and a new client after any error. kafkajs' idempotent producer takes its sequence numbers back
 * when a response is lost; a different record then reuses a number, and the broker acknowledges it without
 * storing it. Acknowledged records were lost that way in measurements; a repeated record is the lesser evil, and
 * readers remove it by position and event id.
 */
export class KafkaAppender implements LogAppender {
  readonly #settings: KafkaSettings;
  readonly #name: string;
  #session: KafkaSession | undefined;
  #attemptCount = 0;
  #closed = false;
  #inFlight: Promise<void> = Promise.resolve();

  constructor(settings: KafkaSettings, name: string) {
    this.#settings = settings;
    this.#name = name;
  }

  append(batches: readonly PartitionBatch[], deadlineMs: number): Promise<readonly PartitionAppend[]> {
    const deadline = deadlineIn(deadlineMs);
    checkBatches(batches);
    // The deadline runs while a call waits for its turn, too.
    const turn = within(deadline, this.#inFlight);
    const sent = turn.then(
      () => this.#send(batches, deadline),
      (error: unknown) => Promise.reject(this.#failure(batches, error)),
    );
    // The next send waits until this one is over, however it ended; a call that never got its turn changes nothing.
    const previous = this.#inFlight;
    // Without what they resolved to: each would hold the one before it, back to the first.
    this.#inFlight = Promise.allSettled([previous, sent]).then(() => undefined);
    return sent;
  }

  get closed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#inFlight;
    this.#drop();
  }

  async #send(batches: readonly PartitionBatch[], deadline: Deadline): Promise<readonly PartitionAppend[]> {
    try {
      if (this.#closed) throw new Error('the appender is closed');
      const appends = await within(deadline, this.#produce(batches, deadline));
      return batches.map((batch) => appended(batch, appends));
    } catch (error) {
      this.#drop();
      throw this.#failure(batches, error);
    }
  }

  async #produce(batches: readonly PartitionBatch[], deadline: Deadline): Promise<readonly PartitionAppend[]> {
    const session = this.#session ?? (await this.#open(deadline));
    const topics = new Set(batches.map(({ topic }) => topic));
    if (![...topics].every((topic) => session.knows(topic))) await session.learn([...topics]);
    const { requestTimeoutMs } = this.#settings;
    return session.produce(batches, Math.max(1, Math.min(requestTimeoutMs, Math.floor(remainingMs(deadline)))));
  }

  async #open(deadline: Deadline): Promise<KafkaSession> {
    this.#attemptCount += 1;
    const session = await KafkaSession.open(this.#settings, [], { attempt: this.#attemptCount, deadline });
    this.#session = session;
    return session;
  }

  #drop(): void {
    this.#session?.discard();
    this.#session = undefined;
  }

  #failure(batches: readonly PartitionBatch[], cause: unknown): ClyraError {
    const refusal = refusalRetry(cause);
    const context = {
      appender: this.#name,
      partitions: batches.map(({ topic, partition }) => `${topic}/${partition}`).join(),
      recordCount: batches.reduce((sum, { records }) => sum + records.length, 0),
      lastError: describeError(cause),
    };
    // With several partitions one of them may have been stored before another was refused.
    if (refusal !== undefined && batches.length === 1) {
      return new ClyraError(
        'CLY_LOG_APPEND_REFUSED',
        `the broker refused the records, none was stored: ${describeError(cause)}`,
        { retry: refusal, context, cause },
      );
    }
    return new ClyraError(
      'CLY_LOG_APPEND_UNKNOWN',
      'the log did not confirm the records, they may be stored or not: send the same bytes again',
      { retry: refusal ?? 'backoff', context, cause },
    );
  }
}

/** A response that is silent about a partition is no acknowledgement of it. */
function appended({ topic, partition }: PartitionBatch, appends: readonly PartitionAppend[]): PartitionAppend {
  const found = appends.find((entry) => entry.topic === topic && entry.partition === partition);
  if (found === undefined || found.baseOffset < 0) {
    throw new Error(`the broker did not acknowledge ${topic}/${partition}`);
  }
  return found;
}

function checkBatches(batches: readonly PartitionBatch[]): void {
  const names = new Set(batches.map(({ topic, partition }) => `${topic}/${partition}`));
  assert(batches.length > 0 && names.size === batches.length, 'an append names each of its partitions once');
  assert(
    batches.every(({ records }) => records.length > 0),
    'an append has a record for each of its partitions',
  );
}
