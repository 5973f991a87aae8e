// SPDX-License-Identifier: Apache-2.0
import { silentLogger } from '@clyra/core/ports/logger';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { StateWriter } from './state-writer.ts';

const LINES = Array.from({ length: 5_000 }, (_, index) => `line ${index}\n`);
const LINES_BETWEEN_PAUSES = 250;

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
    writer.write('states/a', LINES);
    expect(await elapsedMs()).toBeGreaterThanOrEqual(LINES.length / LINES_BETWEEN_PAUSES);
    expect(Buffer.from((await blobs.get('states/a')) ?? []).toString('utf8')).toBe(LINES.join(''));
  });

  it('does not pause while many states wait', async () => {
    const { blobs, writer, elapsedMs } = writing();
    const names = Array.from({ length: 40 }, (_, index) => `states/${index}`);
    for (const name of names) writer.write(name, LINES);
    const calm = writing();
    for (const name of names.slice(0, 16)) calm.writer.write(name, LINES);
    expect(await elapsedMs()).toBe(await calm.elapsedMs());
    expect(await blobs.list('states/')).toHaveLength(names.length);
  });
});
