// SPDX-License-Identifier: Apache-2.0
import type { LogRecord } from '@clyra/core/ports/record-log';
import { describe, expect, it } from '@jest/globals';
import { RecordQueue } from './record-queue.ts';

function records(count: number, size = 1): LogRecord[] {
  return Array.from({ length: count }, (_, offset) => ({
    topic: 't',
    partition: 0,
    offset,
    appendTimeMs: 0,
    key: null,
    value: new Uint8Array(size),
  }));
}

function makeQueue(): { queue: RecordQueue; pressure: boolean[] } {
  const pressure: boolean[] = [];
  return { queue: new RecordQueue({ recordsMax: 10, bytesMax: 1_000 }, (high) => pressure.push(high)), pressure };
}

describe('a record queue', () => {
  it('gives records in order, and says once when it is too full and once when it is not', () => {
    const { queue, pressure } = makeQueue();
    queue.push(records(11));
    queue.push(records(1));
    expect(pressure).toEqual([true]);
    const offsets = Array.from({ length: 12 }, () => queue.shift()?.offset);
    expect(offsets).toEqual([...Array(11).keys(), 0]);
    expect([pressure, queue.shift()]).toEqual([[true, false], undefined]);
  });

  it('counts bytes too', () => {
    const { queue, pressure } = makeQueue();
    queue.push(records(2, 600));
    expect(pressure).toEqual([true]);
    queue.shift();
    expect(pressure).toEqual([true]);
    queue.shift();
    expect(pressure).toEqual([true, false]);
  });

  it('lets one reader wait, and ends the wait when it is closed', async () => {
    const { queue } = makeQueue();
    const first = queue.next();
    queue.push(records(1));
    expect((await first)?.offset).toBe(0);
    const second = queue.next();
    queue.close();
    expect(await second).toBeUndefined();
    queue.push(records(1));
    expect(queue.count).toBe(0);
  });
});
