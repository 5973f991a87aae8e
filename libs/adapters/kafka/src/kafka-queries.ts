// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogRecord } from '@clyra/core/ports/record-log';
import { deadlineIn, pauseMs, remainingMs, within } from './deadline.ts';
import { describeError } from './kafka-errors.ts';
import type { KafkaSettings } from './kafka-options.ts';
import { KafkaSession, type OffsetRange } from './kafka-session.ts';
import { toRecord } from './read-cursor.ts';

/** Questions to the log that are answered once. They share one session and repeat until their deadline. */
export class KafkaQueries {
  readonly #settings: KafkaSettings;
  #opening: Promise<KafkaSession> | undefined;
  #attemptCount = 0;

  constructor(settings: KafkaSettings) {
    this.#settings = settings;
  }

  ranges(topic: string, deadlineMs: number): Promise<readonly OffsetRange[]> {
    return this.#ask(topic, deadlineMs, async (session) => {
      const partitions = session.partitionsOf(topic);
      if (partitions.length === 0) throw new Error(`the log has no topic ${topic}`);
      return session.ranges(topic, partitions);
    });
  }

  last(topic: string, partition: number, deadlineMs: number): Promise<LogRecord | undefined> {
    return this.#ask(topic, deadlineMs, async (session) => {
      const [range] = await session.ranges(topic, [partition]);
      if (range === undefined || range.endOffset === range.startOffset) return undefined;
      return this.#recordAt(session, { topic, partition, fromOffset: range.endOffset - 1 });
    });
  }

  close(): void {
    if (this.#opening !== undefined) this.#forget(this.#opening);
  }

  async #recordAt(
    session: KafkaSession,
    at: { readonly topic: string; readonly partition: number; readonly fromOffset: number },
  ): Promise<LogRecord> {
    const wait = { waitMs: this.#settings.fetchWaitMs, bytesMin: 1, bytesMax: 1, partitionBytesMax: 1 };
    const [fetched] = await session.fetch(session.leaderOf(at), [at], wait);
    // However small the limit, a broker hands over the first batch whole.
    const message = fetched?.messages.find(({ offset }) => offset === at.fromOffset);
    if (fetched === undefined || message === undefined) {
      throw new Error(`the log did not hand over ${at.topic}/${at.partition}@${at.fromOffset}`);
    }
    return toRecord(fetched, message);
  }

  async #ask<T>(topic: string, deadlineMs: number, question: (session: KafkaSession) => Promise<T>): Promise<T> {
    const deadline = deadlineIn(deadlineMs);
    for (let waitMs = this.#settings.reconnectMinMs; ; waitMs = Math.min(waitMs * 2, this.#settings.reconnectMaxMs)) {
      const opening = this.#open();
      try {
        return await within(
          deadline,
          opening.then((session) => session.learn([topic]).then(() => question(session))),
        );
      } catch (cause) {
        this.#forget(opening);
        if (remainingMs(deadline) <= waitMs) throw unreachable(topic, cause);
        await pauseMs(waitMs);
      }
    }
  }

  #open(): Promise<KafkaSession> {
    if (this.#opening !== undefined) return this.#opening;
    this.#attemptCount += 1;
    const until = { attempt: this.#attemptCount, deadline: deadlineIn(this.#settings.requestTimeoutMs) };
    this.#opening = KafkaSession.open(this.#settings, [], until);
    return this.#opening;
  }

  #forget(opening: Promise<KafkaSession>): void {
    if (this.#opening === opening) this.#opening = undefined;
    opening.then(
      (session) => session.discard(),
      () => {},
    );
  }
}

function unreachable(topic: string, cause: unknown): ClyraError {
  return new ClyraError(
    'CLY_LOG_UNREACHABLE',
    `the log did not answer about ${topic} in time: check the broker addresses and that the topic exists`,
    { retry: 'backoff', context: { topic, lastError: describeError(cause) }, cause },
  );
}
