// SPDX-License-Identifier: Apache-2.0

import { ClyraError } from '@clyra/core/kernel/error';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { SimLog, type SimLogFaults } from '@clyra/testing/sim-log';
import { describe, expect, it } from '@jest/globals';
import { BatchingAppender, type BatchingAppenderOptions } from './batching-appender.ts';

const TOPIC = 'changes';
const HOUR_MS = 3_600_000;

type World = {
  readonly clock: SimClock;
  readonly log: SimLog;
  readonly appender: BatchingAppender<string>;
  /** What was sealed together, send by send. */
  readonly seals: string[][];
  readonly troubles: string[];
};

function world(
  options: Partial<BatchingAppenderOptions<string>> & { readonly faults?: Partial<SimLogFaults> } = {},
): World {
  const clock = new SimClock();
  const log = new SimLog({ clock, random: new SeededRandom(7), faults: options.faults ?? {} });
  log.createTopic(TOPIC, 3);
  const seals: string[][] = [];
  const troubles: string[] = [];
  const appender = new BatchingAppender<string>({
    log,
    clock,
    name: 'test',
    topic: TOPIC,
    sends: 'per-partition',
    seal: (items) => {
      seals.push([...items]);
      return items.map((item) => ({ key: null, value: encode(`${item}#${seals.length}`) }));
    },
    sizeOf: (item) => item.length,
    onTrouble: ({ code }) => troubles.push(code),
    ...options,
  });
  return { clock, log, appender, seals, troubles };
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function texts({ log }: World, partition = 0): string[] {
  return log.recordsOf(TOPIC, partition).map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array()));
}

async function codes(results: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(results);
  return settled.map((one) => (one.status === 'fulfilled' ? 'stored' : codeOf(one.reason)));
}

function codeOf(reason: unknown): string {
  return reason instanceof ClyraError ? reason.code : String(reason);
}

describe('collecting', () => {
  it('sends what is added in one turn together, and what is added meanwhile as the next send', async () => {
    const { clock, appender, seals } = world();
    const first = [appender.enqueue('a', 0), appender.enqueue('b', 0)];
    await clock.settle();
    const second = [appender.enqueue('c', 0), appender.enqueue('d', 0), appender.enqueue('e', 0)];
    const positions = await clock.drive(Promise.all([...first, ...second]));
    expect(seals).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    expect(positions.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps a send for each partition, or one for all', async () => {
    const apart = world();
    const together = world({ sends: 'together' });
    for (const { clock, appender } of [apart, together]) {
      const sends = [appender.enqueue('a', 0), appender.enqueue('b', 2), appender.enqueue('c', 0)];
      expect(await clock.drive(Promise.all(sends))).toEqual([
        { topic: TOPIC, partition: 0, offset: 0 },
        { topic: TOPIC, partition: 2, offset: 0 },
        { topic: TOPIC, partition: 0, offset: 1 },
      ]);
    }
    expect(apart.seals).toEqual([['a', 'c'], ['b']]);
    expect(together.seals).toEqual([['a', 'b', 'c']]);
  });

  it('limits a send by its items and by its bytes', async () => {
    const { clock, appender, seals } = world({ limits: { sendItemsMax: 3, sendBytesMax: 10 } });
    const sends = ['1', '2', '3', '4', '55555', '666666', '7777777777'].map((item) => appender.enqueue(item, 0));
    await clock.drive(Promise.all(sends));
    expect(seals).toEqual([['1', '2', '3'], ['4', '55555'], ['666666'], ['7777777777']]);
    expect(appender.heldBytes).toBe(0);
  });

  it('refuses an item that fits into no send', async () => {
    const { appender } = world({ limits: { sendBytesMax: 10 } });
    expect(await codes([appender.enqueue('12345678901', 0)])).toEqual(['CLY_LOG_ITEM_TOO_LARGE']);
  });

  it('refuses items beyond its limits, and takes items again once it has sent some', async () => {
    const byCount = world({ limits: { queueItemsMax: 2 } });
    const byBytes = world({ limits: { queueBytesMax: 7 } });
    for (const { clock, appender } of [byCount, byBytes]) {
      const results = ['aaa', 'bbb', 'ccc'].map((item) => appender.enqueue(item, 0));
      expect(await clock.drive(codes(results))).toEqual(['stored', 'stored', 'CLY_LOG_QUEUE_FULL']);
      expect(await clock.drive(codes([appender.enqueue('ddd', 0)]))).toEqual(['stored']);
    }
  });
});

describe('repeating', () => {
  it('repeats a send with identical bytes, sealed once', async () => {
    const it = world({ faults: { lostResponseShare: 0.6 } });
    const sends = Array.from({ length: 20 }, async (_, index) => {
      await Promise.resolve();
      return it.appender.enqueue(`i${index}`, 0);
    });
    const positions = await it.clock.drive(Promise.all(sends));
    const stored = texts(it);
    expect(it.troubles.length).toBeGreaterThan(0);
    expect(stored.length).toBeGreaterThan(20);
    expect(new Set(stored).size).toBe(20);
    expect(positions.map(({ offset }) => stored[offset]?.split('#')[0])).toEqual(sends.map((_, index) => `i${index}`));
  });

  it('without a deadline outlasts an outage of hours', async () => {
    const { clock, log, appender } = world();
    log.freeze();
    clock.after(5 * HOUR_MS, () => log.thaw());
    const startMs = clock.nowMs();
    await clock.drive(appender.enqueue('patient', 0));
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(5 * HOUR_MS);
    expect(clock.nowMs() - startMs).toBeLessThan(5 * HOUR_MS + 6_000);
  });

  it('at the deadline tells a record that was sent from one that never was', async () => {
    const { clock, log, appender } = world();
    log.freeze();
    const sent = appender.enqueue('sent', 0, 300);
    await clock.settle();
    const behind = appender.enqueue('behind', 0, 200);
    const startMs = clock.nowMs();
    expect(await clock.drive(codes([sent, behind]))).toEqual(['CLY_LOG_APPEND_UNKNOWN', 'CLY_LOG_APPEND_NOT_SENT']);
    expect(clock.nowMs() - startMs).toBe(300);
    log.thaw();
    expect(await clock.drive(codes([appender.enqueue('after', 0, 10_000)]))).toEqual(['stored']);
    expect(appender.heldCount).toBe(0);
  });

  it('says that a record which was only ever refused is not in the log', async () => {
    const it = world({ faults: { refusedShare: 1 } });
    const results = [it.appender.enqueue('refused', 0, 500)];
    expect(await it.clock.drive(codes(results))).toEqual(['CLY_LOG_APPEND_NOT_SENT']);
    expect(new Set(it.troubles)).toEqual(new Set(['CLY_LOG_APPEND_REFUSED']));
    expect(texts(it)).toEqual([]);
  });

  it('does not say so of a record whose send goes on for others', async () => {
    const it = world({ faults: { refusedShare: 1 } });
    const results = [it.appender.enqueue('short', 0, 100), it.appender.enqueue('long', 0, 10_000)];
    it.clock.after(200, () => it.log.setFaults({ refusedShare: 0 }));
    expect(await it.clock.drive(codes(results))).toEqual(['CLY_LOG_APPEND_UNKNOWN', 'stored']);
    expect(texts(it)).toEqual(['short#1', 'long#1']);
  });

  it('hands on a refusal for good, and goes on with the next send', async () => {
    const { clock, appender } = world({ sizeOf: () => 1 });
    const results = [appender.enqueue('x'.repeat(1_500_000), 0)];
    await clock.settle();
    results.push(appender.enqueue('fine', 0));
    expect(await clock.drive(codes(results))).toEqual(['CLY_LOG_APPEND_REFUSED', 'stored']);
  });

  it('repeats a seal that may be repeated, and hands on the error of one that may not', async () => {
    let callCount = 0;
    const { clock, appender, troubles } = world({
      seal: async (items) => {
        callCount += 1;
        if (callCount < 3) throw new ClyraError('CLY_SIGNER_UNAVAILABLE', 'no key', { retry: 'backoff' });
        if (callCount > 3) throw new ClyraError('CLY_SIGNER_REVOKED', 'no key', { retry: 'never' });
        return items.map((item) => ({ key: null, value: encode(item) }));
      },
    });
    expect(await clock.drive(codes([appender.enqueue('a', 0)]))).toEqual(['stored']);
    expect(troubles).toEqual(['CLY_SIGNER_UNAVAILABLE', 'CLY_SIGNER_UNAVAILABLE']);
    expect(await clock.drive(codes([appender.enqueue('b', 0)]))).toEqual(['CLY_SIGNER_REVOKED']);
  });

  it('rejects every item of a send whose seal gives another number of records', async () => {
    const { clock, appender } = world({ seal: () => [] });
    expect(await clock.drive(codes([appender.enqueue('a', 0)]))).toEqual([
      'AssertionError: sealed 0 records for 1 items',
    ]);
  });
});

describe('closing', () => {
  it('sends what it holds and takes nothing more', async () => {
    const it = world();
    const results = ['a', 'b'].map((item) => it.appender.enqueue(item, 0));
    const closed = it.appender.close(5_000);
    results.push(it.appender.enqueue('c', 0));
    expect(await it.clock.drive(codes(results))).toEqual(['stored', 'stored', 'CLY_LOG_QUEUE_CLOSED']);
    await it.clock.drive(closed);
    expect(texts(it)).toEqual(['a#1', 'b#1']);
  });

  it('gives up what it cannot send before its deadline', async () => {
    const { clock, log, appender } = world();
    log.freeze();
    const results = [appender.enqueue('sent', 0)];
    await clock.settle();
    results.push(appender.enqueue('waiting', 0));
    const startMs = clock.nowMs();
    const closed = appender.close(700);
    expect(await clock.drive(codes(results))).toEqual(['CLY_LOG_APPEND_UNKNOWN', 'CLY_LOG_APPEND_NOT_SENT']);
    await clock.drive(closed);
    expect(clock.nowMs() - startMs).toBe(700);
  });
});

describe('a log that does not answer', () => {
  it('is asked again soon at first, and then ever more patiently', async () => {
    const timeouts: number[] = [];
    const append = async (_: unknown, deadlineMs: number): Promise<never> => {
      timeouts.push(deadlineMs);
      throw new ClyraError('CLY_LOG_APPEND_UNKNOWN', 'no answer', { retry: 'backoff' });
    };
    const { clock, appender } = world({ log: { appender: () => ({ append, close: async () => {} }) } });
    const result = codes([appender.enqueue('a', 0, 2_000)]);
    await clock.advance(2_000);
    expect(await result).toEqual(['CLY_LOG_APPEND_UNKNOWN']);
    expect(timeouts.slice(0, 4)).toEqual([500, 1_000, 1_850, 1_650]);
  });
});
