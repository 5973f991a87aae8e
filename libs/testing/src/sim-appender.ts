// SPDX-License-Identifier: Apache-2.0
import { assert } from '@clyra/core/kernel/assert';
import { ClyraError, type RetryFact } from '@clyra/core/kernel/error';
import type { LogAppender, PartitionAppend, PartitionBatch } from '@clyra/core/ports/record-log';
import type { SendFate, SimBroker } from './sim-broker.ts';

/** One client process: once it has ended, nothing of it answers any more. */
export type Life = { ended: boolean };

type Send = {
  readonly batches: readonly PartitionBatch[];
  readonly resolve: (appends: readonly PartitionAppend[]) => void;
  readonly reject: (error: ClyraError) => void;
  readonly cancelDeadline: () => void;
  ended: boolean;
};

export class SimAppender implements LogAppender {
  readonly #broker: SimBroker;
  readonly #name: string;
  readonly #life: Life;
  readonly #waiting: Send[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #inFlight: Send | undefined;
  #closed = false;

  constructor(broker: SimBroker, name: string, life: Life) {
    this.#broker = broker;
    this.#name = name;
    this.#life = life;
  }

  append(batches: readonly PartitionBatch[], deadlineMs: number): Promise<readonly PartitionAppend[]> {
    checkBatches(batches);
    return new Promise((resolve, reject) => {
      const giveUp = () => this.#unknown(send, 'the deadline passed');
      const cancelDeadline = this.#broker.clock.after(deadlineMs, giveUp);
      const send: Send = { batches, resolve, reject, cancelDeadline, ended: false };
      this.#waiting.push(send);
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#inFlight === undefined) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
    });
  }

  #next(): void {
    if (this.#inFlight !== undefined) return;
    const send = this.#waiting.shift();
    this.#inFlight = send;
    if (send === undefined) {
      for (const done of this.#whenIdle.splice(0)) done();
    } else if (this.#closed) {
      this.#unknown(send, 'the appender is closed');
    } else {
      const fate = this.#broker.drawFate(send.batches.length);
      this.#broker.reach(() => this.#arrive(send, fate));
    }
  }

  /** Also a send that was given up arrives: the broker does not know that nobody waits for it. */
  #arrive(send: Send, fate: SendFate): void {
    if (this.#life.ended && this.#broker.flip()) return;
    const { batches } = send;
    if (!batches.every((batch) => this.#broker.exists(batch))) {
      this.#unknown(send, 'UNKNOWN_TOPIC_OR_PARTITION');
    } else if (batches.some((batch) => this.#broker.isTooLarge(batch))) {
      this.#refuse(send, { reason: 'MESSAGE_TOO_LARGE', retry: 'never' });
    } else if (fate === 'refused') {
      this.#refuse(send, { reason: 'NOT_ENOUGH_REPLICAS', retry: 'backoff' });
    } else if (fate === 'request-lost') {
      // A send to several partitions may go to several brokers; each may or may not have been reached.
      for (const batch of batches) if (batches.length > 1 && this.#broker.flip()) this.#broker.store(batch);
      this.#lose(send);
    } else {
      const appends = batches.map((batch) => this.#store(batch));
      if (fate === 'response-lost') this.#lose(send);
      else this.#broker.reach(() => this.#end(send, () => send.resolve(appends)));
    }
  }

  #store(batch: PartitionBatch): PartitionAppend {
    return { topic: batch.topic, partition: batch.partition, baseOffset: this.#broker.store(batch) };
  }

  /** A lost answer shows as a cut connection, or as silence until the deadline. */
  #lose(send: Send): void {
    if (this.#broker.flip()) this.#broker.reach(() => this.#unknown(send, 'the connection was cut'));
  }

  #refuse(send: Send, { reason, retry }: { readonly reason: string; readonly retry: RetryFact }): void {
    const context = { appender: this.#name, lastError: reason };
    const alone = send.batches.length === 1;
    const code = alone ? 'CLY_LOG_APPEND_REFUSED' : 'CLY_LOG_APPEND_UNKNOWN';
    const error = new ClyraError(code, `the simulated broker refused the records: ${reason}`, { retry, context });
    this.#broker.reach(() => this.#end(send, () => send.reject(error)));
  }

  #unknown(send: Send, reason: string): void {
    const context = { appender: this.#name, lastError: reason };
    const facts = { retry: 'backoff', context } as const;
    const error = new ClyraError(
      'CLY_LOG_APPEND_UNKNOWN',
      'the simulated log did not confirm the records, they may be stored or not: send the same bytes again',
      facts,
    );
    this.#end(send, () => send.reject(error));
  }

  #end(send: Send, settle: () => void): void {
    if (send.ended || this.#life.ended) return;
    send.ended = true;
    send.cancelDeadline();
    settle();
    if (this.#inFlight === send) {
      this.#inFlight = undefined;
      this.#next();
    } else {
      this.#waiting.splice(this.#waiting.indexOf(send), 1);
    }
  }
}

function checkBatches(batches: readonly PartitionBatch[]): void {
  const names = new Set(batches.map(({ topic, partition }) => `${topic}/${partition}`));
  assert(batches.length > 0 && names.size === batches.length, 'an append names each of its partitions once');
  assert(
    batches.every(({ records }) => records.length > 0),
    'an append has a record for each of its partitions',
  );
}
