// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogReader, ReadRequest } from '@clyra/core/ports/record-log';
import type { Life } from './sim-appender.ts';
import type { BrokerListener, SimBroker } from './sim-broker.ts';

type Cursor = { readonly topic: string; readonly partition: number; nextOffset: number; paused: boolean; due: boolean };

export class SimReader implements LogReader, BrokerListener {
  readonly #broker: SimBroker;
  readonly #request: ReadRequest;
  readonly #life: Life;
  readonly #cursors: readonly Cursor[];
  #state: 'starting' | 'connected' | 'lost' | 'closed' = 'starting';

  constructor(broker: SimBroker, request: ReadRequest, life: Life) {
    assert(request.assignments.length > 0, `reader ${request.name} was given no partition to read`);
    this.#broker = broker;
    this.#request = request;
    this.#life = life;
    this.#cursors = request.assignments.map(({ topic, partition, fromOffset }) => {
      return { topic, partition, nextOffset: fromOffset, paused: false, due: false };
    });
  }

  /** Resolves once the broker has answered; the first record comes later, so that the caller can pause it. */
  start(deadlineMs: number): Promise<SimReader> {
    const { clock } = this.#broker;
    return new Promise((resolve, reject) => {
      const cancel = clock.after(deadlineMs, () => {
        if (this.#life.ended || this.#state !== 'starting') return;
        this.#leave();
        reject(this.#failure());
      });
      const join = () => {
        if (this.#life.ended || this.#state !== 'starting') return;
        if (this.#failurePlace() !== undefined) {
          clock.after(this.#broker.reconnectMs(), () => this.#broker.reach(join));
          return;
        }
        cancel();
        resolve(this);
        clock.after(0, () => this.#connect());
      };
      this.#broker.listeners.add(this);
      this.#broker.reach(join);
    });
  }

  pause(topic: string, partition: number): void {
    this.#cursor(topic, partition).paused = true;
  }

  resume(topic: string, partition: number): void {
    const cursor = this.#cursor(topic, partition);
    cursor.paused = false;
    this.#schedule(cursor);
  }

  async close(): Promise<void> {
    this.#leave();
  }

  /** Cuts the connection; the reader comes back by itself. */
  disconnect(): void {
    if (this.#state !== 'connected' || this.#life.ended) return;
    this.#state = 'lost';
    this.#request.onConnection?.('lost');
    this.#reconnect();
  }

  onAppended(topic: string, partition: number): void {
    const cursor = this.#cursors.find((one) => one.topic === topic && one.partition === partition);
    if (cursor !== undefined) this.#schedule(cursor);
  }

  onFrozen(): void {
    this.#broker.clock.after(this.#broker.timing.lostAfterMs, () => {
      if (this.#broker.frozen) this.disconnect();
    });
  }

  onThawed(): void {
    for (const cursor of this.#cursors) this.#schedule(cursor);
  }

  #connect(): void {
    if (this.#life.ended || this.#state === 'closed') return;
    this.#state = 'connected';
    this.#request.onConnection?.('connected');
    for (const cursor of this.#cursors) this.#schedule(cursor);
  }

  #reconnect(): void {
    this.#broker.clock.after(this.#broker.reconnectMs(), () => {
      this.#broker.reach(() => {
        if (this.#life.ended || this.#state !== 'lost') return;
        if (this.#failurePlace() === undefined) this.#connect();
        else this.#reconnect();
      });
    });
  }

  #schedule(cursor: Cursor): void {
    if (cursor.due) return;
    cursor.due = true;
    this.#broker.clock.after(this.#broker.networkMs(), () => {
      cursor.due = false;
      this.#deliver(cursor);
    });
  }

  #deliver(cursor: Cursor): void {
    if (this.#life.ended || this.#state !== 'connected' || this.#broker.frozen || cursor.paused) return;
    const { topic, partition } = cursor;
    const place = this.#broker.partition(topic, partition);
    assert(place !== undefined, `the simulated log has no ${topic}/${partition}`);
    cursor.nextOffset = Math.max(cursor.nextOffset, place.startOffset);
    const records = this.#broker.recordsFrom(place, cursor.nextOffset, this.#broker.readCount());
    const last = records.at(-1);
    if (last === undefined) return;
    cursor.nextOffset = last.offset + 1;
    this.#request.onBatch({ topic, partition, records, highWatermark: place.endOffset });
    this.#schedule(cursor);
  }

  /** The first partition that cannot be read: it does not exist, or ends before the reader's position. */
  #failurePlace(): Cursor | undefined {
    return this.#cursors.find(({ topic, partition, nextOffset }) => {
      const place = this.#broker.partition(topic, partition);
      return place === undefined || place.endOffset < nextOffset;
    });
  }

  #failure(): ClyraError {
    const place = this.#broker.frozen ? undefined : this.#failurePlace();
    const truncated = place !== undefined && this.#broker.partition(place.topic, place.partition) !== undefined;
    return truncated
      ? new ClyraError('CLY_LOG_TRUNCATED', `the simulated log ends before ${place.nextOffset}`, { retry: 'backoff' })
      : new ClyraError('CLY_LOG_UNREACHABLE', 'the simulated log did not answer in time', { retry: 'backoff' });
  }

  #leave(): void {
    this.#state = 'closed';
    this.#broker.listeners.delete(this);
  }

  #cursor(topic: string, partition: number): Cursor {
    const cursor = this.#cursors.find((one) => one.topic === topic && one.partition === partition);
    assert(cursor !== undefined, `reader ${this.#request.name} does not read ${topic}/${partition}`);
    return cursor;
  }
}
