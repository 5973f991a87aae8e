// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogAppender, OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';

export type PostParts = {
  readonly log: Pick<RecordLog, 'appender' | 'endOffsets'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A topic that is there for sure: where it answers and another does not, that other one is missing. */
  readonly knownTopic: string;
};

/** `undeliverable`: the topic is not there, or takes no such record. `closed`: it may be stored or not. */
export type Posted = 'stored' | 'undeliverable' | 'closed';

type Letter = {
  readonly topic: string;
  readonly record: OutgoingRecord;
  readonly end: (posted: Posted) => void;
  attempts: number;
};

const SEND_BYTES_MAX = 900_000;
const SEND_COUNT_MAX = 256;
const SEND_DEADLINE_MS = 4_000;
const RETRY_MS = 200;
/** After so many failures it is looked whether the topic is there at all, and again after as many. */
const ATTEMPTS_MAX = 5;
const ASK_DEADLINE_MS = 2_000;

/**
 * Sends single records to partition 0 of many topics, until each is stored. What waits goes out together; a topic that
 * fails holds up no other.
 */
export class ReplyPost {
  readonly #parts: PostParts;
  readonly #appender: LogAppender;
  #waiting: Letter[] = [];
  #isBusy = false;
  #closed = false;

  constructor(parts: PostParts) {
    this.#parts = parts;
    this.#appender = parts.log.appender('intake-replies');
  }

  post(topic: string, record: OutgoingRecord): Promise<Posted> {
    if (this.#closed) return Promise.resolve('closed');
    return new Promise((end) => {
      this.#waiting.push({ topic, record, end, attempts: 0 });
      if (!this.#isBusy) void this.#drain();
    });
  }

  /** Whether a topic is there; undefined while the log itself does not answer. */
  async exists(topic: string): Promise<boolean | undefined> {
    const { log, knownTopic } = this.#parts;
    const answers = async (name: string): Promise<boolean> => {
      try {
        await log.endOffsets(name, ASK_DEADLINE_MS);
        return true;
      } catch (error) {
        if (error instanceof ClyraError) return false;
        throw error;
      }
    };
    if (await answers(topic)) return true;
    return (await answers(knownTopic)) ? false : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const letter of this.#waiting.splice(0)) letter.end('closed');
    await this.#appender.close();
  }

  async #drain(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const letters = this.#take();
      const byTopic = Map.groupBy(letters, ({ topic }) => topic);
      if (await this.#send(letters)) continue;
      const failed: Letter[] = [];
      for (const part of byTopic.values()) {
        if (byTopic.size > 1 && (await this.#send(part))) continue;
        failed.push(...(await this.#stillWanted(part)));
      }
      if (failed.length === 0) continue;
      this.#waiting.unshift(...failed);
      await sleep(this.#parts.clock, RETRY_MS);
    }
    this.#isBusy = false;
  }

  #take(): readonly Letter[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ record }, index) => {
      bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0) + 128;
      return index > 0 && (bytes > SEND_BYTES_MAX || index >= SEND_COUNT_MAX);
    });
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
  }

  async #send(letters: readonly Letter[]): Promise<boolean> {
    const batches = [...Map.groupBy(letters, ({ topic }) => topic)].map(([topic, part]) => ({
      topic,
      partition: 0,
      records: part.map(({ record }) => record),
    }));
    try {
      await this.#appender.append(batches, SEND_DEADLINE_MS);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      for (const letter of letters) letter.attempts += 1;
      return false;
    }
    for (const { end } of letters) end('stored');
    return true;
  }

  /** Those that are to be sent again; the others have their end. */
  async #stillWanted(letters: readonly Letter[]): Promise<readonly Letter[]> {
    const [first] = letters;
    if (first === undefined) return [];
    if (this.#closed) {
      for (const { end } of letters) end('closed');
      return [];
    }
    if (first.attempts < ATTEMPTS_MAX) return letters;
    const isThere = await this.exists(first.topic);
    this.#parts.logger.error('a reply is not stored', { topic: first.topic, attempts: first.attempts });
    for (const letter of letters) letter.attempts = 0;
    if (isThere !== false) return letters;
    for (const { end } of letters) end('undeliverable');
    return [];
  }
}
