// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogReader, ReadRequest } from '@clyra/core/ports/record-log';
import { type Deadline, deadlineIn, isPast, pauseMs, remainingMs, within } from './deadline.ts';
import { describeError } from './kafka-errors.ts';
import type { KafkaSettings } from './kafka-options.ts';
import { KafkaSession } from './kafka-session.ts';
import { ReadCursor } from './read-cursor.ts';
import { WakeablePause } from './wakeable-pause.ts';
import type { FetchedPartition } from './wire/fetch.ts';

/** More than arrives within one wait at a load where batches form by themselves. */
const PATIENT_FETCH_BYTES_MIN = 262_144;
/** How often a connected reader looks whether a partition has moved to another broker. */
const LEADER_CHECK_INTERVAL_MS = 10_000;

/** The loops over one session: when one of them ends, all do, and a new session follows. */
type Following = { readonly session: KafkaSession; ended: boolean };

export class KafkaReader implements LogReader {
  readonly #settings: KafkaSettings;
  readonly #request: ReadRequest;
  readonly #cursors: ReadonlyMap<string, ReadCursor>;
  readonly #pause = new WakeablePause();
  #session: KafkaSession | undefined;
  #attemptCount = 0;
  #failureCount = 0;
  #closed = false;
  #connected = false;
  #finished: Promise<void> = Promise.resolve();

  private constructor(settings: KafkaSettings, request: ReadRequest) {
    assert(request.assignments.length > 0, `reader ${request.name} was given no partition to read`);
    this.#settings = settings;
    this.#request = request;
    this.#cursors = new Map(request.assignments.map((from) => [idOf(from), new ReadCursor(from)]));
    assert(this.#cursors.size === request.assignments.length, `reader ${request.name} names a partition twice`);
  }

  static async start(settings: KafkaSettings, request: ReadRequest, deadlineMs: number): Promise<KafkaReader> {
    const reader = new KafkaReader(settings, request);
    const session = await reader.#openBefore(deadlineIn(deadlineMs));
    // The first record comes only after the caller holds the reader, so that it can pause it.
    reader.#finished = new Promise((resolve) => {
      setImmediate(() => reader.#run(session).then(resolve));
    });
    return reader;
  }

  pause(topic: string, partition: number): void {
    this.#cursor({ topic, partition }).paused = true;
  }

  resume(topic: string, partition: number): void {
    this.#cursor({ topic, partition }).paused = false;
    this.#pause.wake();
  }

  get closed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#finished;
  }

  #stop(): void {
    this.#closed = true;
    this.#session?.discard();
    this.#pause.wake();
  }

  async #openBefore(deadline: Deadline): Promise<KafkaSession> {
    const { name } = this.#request;
    for (;;) {
      try {
        return await this.#open(deadline);
      } catch (cause) {
        const waitMs = this.#nextPauseMs();
        if (remainingMs(deadline) > waitMs) {
          await pauseMs(waitMs);
          continue;
        }
        if (cause instanceof ClyraError) throw cause;
        throw new ClyraError(
          'CLY_LOG_UNREACHABLE',
          `reader ${name} did not reach the log in time: check the broker addresses and that its topics exist`,
          { retry: 'backoff', context: { reader: name, lastError: describeError(cause) }, cause },
        );
      }
    }
  }

  /** A session that knows the leaders, over a log that still holds every position. */
  async #open(deadline: Deadline): Promise<KafkaSession> {
    const byTopic = Map.groupBy(this.#cursors.values(), ({ topic }) => topic);
    this.#attemptCount += 1;
    const until = { attempt: this.#attemptCount, deadline };
    const session = await KafkaSession.open(this.#settings, [...byTopic.keys()], until);
    this.#session = session;
    try {
      for (const [topic, cursors] of byTopic) {
        const partitions = cursors.map(({ partition }) => partition);
        const ranges = await within(deadline, session.ranges(topic, partitions));
        for (const range of ranges) this.#cursor(range).checkAgainst(range);
      }
      return session;
    } catch (error) {
      session.discard();
      throw error;
    }
  }

  /** Never rejects; ends only by close. */
  async #run(first: KafkaSession): Promise<void> {
    let session: KafkaSession | undefined = first;
    while (!this.#closed) {
      try {
        session ??= await this.#open(deadlineIn(this.#settings.requestTimeoutMs));
        this.#report('connected');
        await this.#follow({ session, ended: false });
      } catch (error) {
        if (this.#closed) break;
        this.#logLoss(error);
        this.#report('lost');
        await this.#pause.wait(this.#nextPauseMs());
      } finally {
        session?.discard();
        session = undefined;
      }
    }
    this.#session?.discard();
  }

  /** Resolves when a partition has moved, so that the next session asks its new leader; rejects when the log is lost. */
  async #follow(following: Following): Promise<void> {
    const byLeader = Map.groupBy(this.#cursors.values(), (cursor) => following.session.leaderOf(cursor));
    const loops = [...byLeader].map(([leader, cursors]) => this.#fetchFrom(leader, cursors, following));
    try {
      await Promise.race(loops);
    } finally {
      following.ended = true;
      following.session.discard();
      this.#pause.wake();
      await Promise.allSettled(loops);
    }
  }

  async #fetchFrom(leader: string, cursors: readonly ReadCursor[], following: Following): Promise<void> {
    const { fetchWaitMs, requestTimeoutMs, fetchBytesMax, partitionFetchBytesMax } = this.#settings;
    const { session } = following;
    const bytesMin = this.#request.patient === true ? PATIENT_FETCH_BYTES_MIN : 1;
    const wait = { waitMs: fetchWaitMs, bytesMin, bytesMax: fetchBytesMax, partitionBytesMax: partitionFetchBytesMax };
    let leaderCheck = deadlineIn(LEADER_CHECK_INTERVAL_MS);
    while (!this.#closed && !following.ended) {
      if (isPast(leaderCheck)) {
        await within(deadlineIn(requestTimeoutMs), session.refresh());
        if (cursors.some((cursor) => session.leaderOf(cursor) !== leader)) return;
        leaderCheck = deadlineIn(LEADER_CHECK_INTERVAL_MS);
      }
      const positions = cursors.filter(({ paused }) => !paused).map(({ position }) => position);
      if (positions.length === 0) {
        await this.#pause.wait(remainingMs(leaderCheck));
        continue;
      }
      const deadline = deadlineIn(fetchWaitMs + requestTimeoutMs);
      const fetched = await within(deadline, session.fetch(leader, positions, wait));
      this.#failureCount = 0;
      let delivered = false;
      for (const partition of fetched) delivered = this.#deliver(partition, following) || delivered;
      // Whoever waits for these records sends its own request first: what it does at once is done when the next turn begins.
      if (delivered) await nextTurn();
    }
  }

  /** Whether there was anything to hand over. */
  #deliver(fetched: FetchedPartition, following: Following): boolean {
    const cursor = this.#cursor(fetched);
    if (this.#closed || following.ended || cursor.paused) return false;
    const { topic, partition, highWatermark } = fetched;
    const records = cursor.take(fetched);
    if (records.length === 0) return false;
    this.#handle(() => this.#request.onBatch({ topic, partition, records, highWatermark }));
    return true;
  }

  #report(state: 'connected' | 'lost'): void {
    if (this.#connected === (state === 'connected')) return;
    this.#connected = state === 'connected';
    this.#handle(() => this.#request.onConnection?.(state));
  }

  /** An error in a handler is a bug of its owner: it must reach the process, not be retried as a network error. */
  #handle(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#stop();
      setImmediate(() => {
        throw error;
      });
    }
  }

  #logLoss(error: unknown): void {
    const context = { reader: this.#request.name, failureCount: this.#failureCount, error: describeError(error) };
    this.#settings.logTo({ level: 'warn', message: 'a reader has lost the log and keeps trying', context });
  }

  #nextPauseMs(): number {
    const { reconnectMinMs, reconnectMaxMs } = this.#settings;
    const waitMs = Math.min(reconnectMinMs * 2 ** Math.min(this.#failureCount, 16), reconnectMaxMs);
    this.#failureCount += 1;
    return waitMs;
  }

  #cursor(of: { readonly topic: string; readonly partition: number }): ReadCursor {
    const cursor = this.#cursors.get(idOf(of));
    assert(cursor !== undefined, `reader ${this.#request.name} does not read ${of.topic}/${of.partition}`);
    return cursor;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function idOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}
