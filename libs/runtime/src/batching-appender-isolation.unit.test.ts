// SPDX-License-Identifier: Apache-2.0

import { ClyraError } from '@clyra/core/kernel/error';
import { sleep } from '@clyra/core/ports/clock';
import type { PartitionBatch } from '@clyra/core/ports/record-log';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { BatchingAppender } from './batching-appender.ts';

const TOPIC = 'changes';

/** A log where partition 1 has no leader until it is told; sends to it fail after a while, as they do then. */
function world() {
  const clock = new SimClock();
  const stored = new Map<number, string[]>();
  const sends: string[] = [];
  const state = { isDown: true };
  const append = async (batches: readonly PartitionBatch[]) => {
    sends.push(batches.map(({ partition }) => partition).join('+'));
    await sleep(clock, 2);
    if (state.isDown && batches.some(({ partition }) => partition === 1)) {
      await sleep(clock, 98);
      throw new ClyraError('CLY_LOG_APPEND_UNKNOWN', 'the partition has no leader', { retry: 'backoff' });
    }
    return batches.map(({ topic, partition, records }) => {
      const there = stored.get(partition) ?? [];
      stored.set(partition, there);
      const baseOffset = there.length;
      there.push(...records.map(({ value }) => Buffer.from(value ?? []).toString()));
      return { topic, partition, baseOffset };
    });
  };
  let serial = 0;
  const appender = new BatchingAppender<string>({
    log: { appender: () => ({ append, close: async () => {}, closed: false }) },
    clock,
    name: 'test',
    topic: TOPIC,
    sends: 'together',
    seal: (items) => {
      serial += 1;
      return items.map((item) => ({ key: null, value: Buffer.from(`${item}#${serial}`) }));
    },
    sizeOf: (item) => item.length,
  });
  return { clock, stored, sends, state, appender };
}

describe('a partition whose broker is away', () => {
  it('holds up the others for one send, and comes back to them when it has caught up', async () => {
    const { clock, stored, sends, state, appender } = world();
    const first = [appender.enqueue('a', 0), appender.enqueue('b', 1)];
    await clock.advance(10);
    const behind = [appender.enqueue('c', 0), appender.enqueue('d', 1)];
    await clock.advance(300);
    expect(stored.get(0)).toEqual(['a#1', 'c#2']);
    expect(stored.get(1)).toBeUndefined();
    const later = appender.enqueue('e', 0);
    await clock.advance(10);
    expect(await later).toEqual({ topic: TOPIC, partition: 0, offset: 2 });
    state.isDown = false;
    await clock.advance(2_000);
    await Promise.all([...first, ...behind]);
    // The record that was sealed before the trouble is sent as it was, and before what came after it.
    expect(stored.get(1)?.map((text) => text[0])).toEqual(['b', 'd']);
    expect(stored.get(1)?.[0]).toBe('b#1');
    sends.length = 0;
    const again = [appender.enqueue('f', 0), appender.enqueue('g', 1)];
    await clock.advance(10);
    await Promise.all(again);
    expect(sends).toEqual(['0+1']);
  });

  it('is drained at close, too', async () => {
    const { clock, stored, state, appender } = world();
    const all = [appender.enqueue('a', 0), appender.enqueue('b', 1)];
    const closed = appender.close(5_000);
    await clock.advance(150);
    state.isDown = false;
    await clock.advance(3_000);
    await Promise.all([closed, ...all]);
    expect(stored.get(1)).toEqual(['b#1']);
    expect(appender.heldCount).toBe(0);
  });
});
