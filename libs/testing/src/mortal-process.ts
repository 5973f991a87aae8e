// SPDX-License-Identifier: Apache-2.0
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { LogAppender, ReadRequest, RecordLog } from '@clyra/core/ports/record-log';
import type { SimLogClient } from './sim-log.ts';

/** When a process dies: at its nth effect, before that has happened or just after. */
export type Death = { readonly atEffect: number; readonly moment: 'before' | 'after' };

/**
 * The ports of one simulated process that can be killed at any effect it has on the world: an append or a blob written.
 * Once dead, nothing of it settles, no timer of it runs, and it changes nothing any more.
 */
export class MortalProcess {
  readonly log: RecordLog;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly #client: SimLogClient;
  readonly #death: Death | undefined;
  #dead = false;
  effectCount = 0;

  constructor(world: { client: SimLogClient; blobs: BlobStore; clock: Clock }, death?: Death) {
    this.#client = world.client;
    this.#death = death;
    this.log = this.#mortalLog(world.client);
    this.blobs = this.#mortalBlobs(world.blobs);
    this.clock = {
      nowMs: () => world.clock.nowMs(),
      after: (delayMs, task) => world.clock.after(delayMs, () => (this.#dead ? undefined : task())),
    };
  }

  get dead(): boolean {
    return this.#dead;
  }

  kill(): void {
    this.#dead = true;
    this.#client.crash();
  }

  async #effect<T>(effect: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    this.effectCount += 1;
    const isLast = this.#death?.atEffect === this.effectCount;
    if (isLast && this.#death?.moment === 'before') {
      this.kill();
      return never();
    }
    const made = effect();
    if (isLast) this.kill();
    const result = await made;
    return this.#dead ? never() : result;
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#dead) return never();
    const answer = await question();
    return this.#dead ? never() : answer;
  }

  async *#askEach(pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) yield await this.#ask(async () => piece);
  }

  #mortalBlobs(blobs: BlobStore): BlobStore {
    return {
      put: (name, content) => this.#effect(() => blobs.put(name, content)),
      get: (name) => this.#ask(() => blobs.get(name)),
      read: (name) => this.#askEach(blobs.read(name)),
      has: (name) => this.#ask(() => blobs.has(name)),
      list: (prefix) => this.#ask(() => blobs.list(prefix)),
    };
  }

  #mortalLog(client: SimLogClient): RecordLog {
    return {
      appender: (name) => this.#mortalAppender(client.appender(name)),
      read: (request: ReadRequest, deadlineMs) => client.read(request, deadlineMs),
      endOffsets: (topic, deadlineMs) => client.endOffsets(topic, deadlineMs),
      startOffsets: (topic, deadlineMs) => client.startOffsets(topic, deadlineMs),
      readLast: (topic, partition, deadlineMs) => client.readLast(topic, partition, deadlineMs),
    };
  }

  #mortalAppender(appender: LogAppender): LogAppender {
    return {
      append: (batches, deadlineMs) => this.#effect(() => appender.append(batches, deadlineMs)),
      close: () => appender.close(),
    };
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
