// SPDX-License-Identifier: Apache-2.0
import { StateImage } from '@clyra/core/enforcement/state-image';
import { silentLogger } from '@clyra/core/ports/logger';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { StateWriter } from './state-writer.ts';

const LINES = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`);
const LINES_BETWEEN_PAUSES = 250;
const QUEUE_MAX = 64;

function imageOf(parts: readonly (readonly string[])[], onDone = (): void => {}): StateImage {
  return new StateImage({ partCount: parts.length, read: (index) => parts[index] ?? [], onDone });
}

function writing() {
  const clock = new SimClock();
  const blobs = new MemoryBlobStore();
  const startMs = clock.nowMs();
  const writer = new StateWriter({ blobs, clock, logger: silentLogger });
  const elapsedMs = async (): Promise<number> => {
    await clock.runUntilIdle();
    return clock.nowMs() - startMs;
  };
  return { blobs, writer, elapsedMs };
}

describe('state writer', () => {
  it('writes every line, and leaves the core to others between the pieces of a large state', async () => {
    const { blobs, writer, elapsedMs } = writing();
    writer.write('states/a', imageOf([LINES.slice(0, 100), [], LINES.slice(100, 4_000), LINES.slice(4_000)]));
    expect(await elapsedMs()).toBeGreaterThanOrEqual(LINES.length / LINES_BETWEEN_PAUSES);
    expect(Buffer.from((await blobs.get('states/a')) ?? []).toString('utf8')).toBe(LINES.join(''));
  });

  it('does not pause while many states wait', async () => {
    const { blobs, writer, elapsedMs } = writing();
    const names = Array.from({ length: 40 }, (_, index) => `states/${index}`);
    for (const name of names) writer.write(name, imageOf([LINES]));
    const calm = writing();
    for (const name of names.slice(0, 16)) calm.writer.write(name, imageOf([LINES]));
    expect(await elapsedMs()).toBe(await calm.elapsedMs());
    expect(await blobs.list('states/')).toHaveLength(names.length);
  });

  it('leaves the oldest that waits to the next start when too many do, and lets go of its image', async () => {
    const { blobs, writer, elapsedMs } = writing();
    const left: number[] = [];
    for (let number = 0; number <= QUEUE_MAX; number += 1) {
      writer.write(
        `states/${number}`,
        imageOf([LINES, LINES], () => left.push(number)),
      );
    }
    expect(left).toEqual([1]);
    await elapsedMs();
    expect(await blobs.list('states/')).toHaveLength(QUEUE_MAX);
    expect(await blobs.get('states/1')).toBeUndefined();
    expect((await blobs.get('states/0'))?.length).toBe(2 * LINES.join('').length);
  });
});
