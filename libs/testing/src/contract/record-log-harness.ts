// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type {
  LogAppender,
  LogRecord,
  OutgoingRecord,
  PartitionAppend,
  ReadBatch,
  RecordLog,
} from '@clyra/core/ports/record-log';

/** A record log with the handles that make it fail. Times are the log's own: virtual in the simulation. */
export type RecordLogHarness = {
  readonly log: RecordLog;
  readonly clock: Clock;
  /** How late a deadline may fire. */
  readonly slackMs: number;
  /** How long a reader may need to say that a frozen log is lost. */
  readonly lostWithinMs: number;
  createTopic(partitionCount: number): Promise<string>;
  setFaults(faults: { readonly lostResponseShare: number; readonly lostRequestShare: number }): void;
  freeze(): void;
  thaw(): void;
  /** Cuts the connection of every reader once. */
  disconnectReaders(): void;
  /** Runs a test's whole body, letting time pass until it ends. */
  drive<T>(body: Promise<T>): Promise<T>;
  close(): Promise<void>;
};

const UNTIL_MAX_MS = 20_000;

export type Stored = { readonly text: string; readonly offset: number };

export function recordOf(text: string): OutgoingRecord {
  return { key: null, value: new TextEncoder().encode(text) };
}

export function textOf({ value }: LogRecord): string {
  return value === null ? '(none)' : new TextDecoder().decode(value);
}

/** Rejections as values, so that a test can look at them. */
export async function errorOf(work: Promise<unknown>): Promise<ClyraError | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (error instanceof ClyraError) return error;
    throw error;
  }
}

/** Sends one text again and again until the log acknowledges it. */
export async function appendUntilAcknowledged(
  { clock }: RecordLogHarness,
  appender: LogAppender,
  { topic, partition, text }: { readonly topic: string; readonly partition: number; readonly text: string },
): Promise<Stored & { readonly failures: readonly ClyraError[] }> {
  const failures: ClyraError[] = [];
  for (;;) {
    try {
      const [append] = await appender.append([{ topic, partition, records: [recordOf(text)] }], 400);
      return { text, offset: (append as PartitionAppend).baseOffset, failures };
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      failures.push(error);
      await sleep(clock, 5);
    }
  }
}

/** Collects what a reader is given. */
export class Inbox {
  readonly records: LogRecord[] = [];
  readonly states: ('connected' | 'lost')[] = [];
  readonly batches: ReadBatch[] = [];

  readonly onBatch = (batch: ReadBatch): void => {
    this.batches.push(batch);
    this.records.push(...batch.records);
  };

  readonly onConnection = (state: 'connected' | 'lost'): void => {
    this.states.push(state);
  };

  offsetsOf(partition: number): number[] {
    return this.records.filter((record) => record.partition === partition).map(({ offset }) => offset);
  }

  textsOf(partition: number): string[] {
    return this.records.filter((record) => record.partition === partition).map(textOf);
  }
}

/** Waits, in the log's time, until something holds; throws with the name of what did not. */
export async function until({ clock }: RecordLogHarness, what: string, holds: () => boolean): Promise<void> {
  const endMs = clock.nowMs() + UNTIL_MAX_MS;
  while (!holds()) {
    if (clock.nowMs() >= endMs) throw new Error(`after ${UNTIL_MAX_MS} ms still not: ${what}`);
    await sleep(clock, 5);
  }
}

export function countTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
