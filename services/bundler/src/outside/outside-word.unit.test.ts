// SPDX-License-Identifier: Apache-2.0
import { checkpointName } from '@clyra/core/evidence/bundle-names';
import { ClyraError } from '@clyra/core/kernel/error';
import { silentLogger } from '@clyra/core/ports/logger';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { SimClock } from '@clyra/testing/sim-clock';
import { describe, expect, it } from '@jest/globals';
import { OutsideWord } from './outside-word.ts';
import { locationOf } from './sealed-log.ts';

describe('waiting for somebody outside', () => {
  const options = {
    logger: silentLogger,
    random: { bytes: (size: number) => new Uint8Array(size) },
    deadlineMs: 1_000,
  };

  it('for a month leaves nothing behind, and ends at once', async () => {
    const clock = new SimClock();
    const blobs = new MemoryBlobStore(() => {
      throw new ClyraError('CLY_BLOB_UNAVAILABLE', 'away', { retry: 'backoff' });
    });
    const outside = new OutsideWord({ ...options, blobs, clock, tsaUrls: ['http://tsa.test/'], witnessUrls: [] });
    outside.sealed({ tenant: 'acme', start: 0, end: 10 });
    await clock.advance(30 * 24 * 60 * 60_000);
    expect(outside.status()).toMatchObject([{ waiting: 1, reason: expect.stringContaining('CLY_BLOB_UNAVAILABLE') }]);
    const stoppedMs = clock.nowMs();
    await outside.stop();
    await clock.runUntilIdle();
    expect(clock.nowMs()).toBe(stoppedMs);
  });

  it('takes a month of bundles that a new service has not seen', async () => {
    const ends = Array.from({ length: 40_000 }, (_, index) => (index + 1) * 10);
    const blobs = new MemoryBlobStore((operation) => {
      if (operation === 'get') throw new ClyraError('CLY_BLOB_UNAVAILABLE', 'away', { retry: 'backoff' });
    });
    blobs.list = async (prefix) => (prefix === 'checkpoints/' ? ends.map((end) => checkpointName('acme', end)) : []);
    blobs.has = async (name) => name.endsWith('/manifest.dsse.json');
    const outside = new OutsideWord({
      ...options,
      ...{ blobs, clock: new SimClock(), tsaUrls: ['http://tsa.test/'], witnessUrls: [] },
    });
    await outside.start();
    for (let count = 0; count < 2; count += 1) outside.sealed({ tenant: 'acme', start: 399_990, end: 400_000 });
    expect(outside.status()).toMatchObject([{ waiting: 40_000 }]);
    await outside.stop();
  });

  /** What is asked for of three bundles, two of them of one tenant, within `durationMs`. */
  async function askedFor(blobs: (asked: string[]) => MemoryBlobStore, durationMs: number): Promise<readonly string[]> {
    const [asked, clock]: [string[], SimClock] = [[], new SimClock()];
    const ports = { blobs: blobs(asked), clock, tsaUrls: ['http://tsa.test/'], witnessUrls: [] };
    const outside = new OutsideWord({ ...options, ...ports });
    outside.sealed({ tenant: 'acme', start: 0, end: 10 });
    outside.sealed({ tenant: 'acme', start: 10, end: 20 });
    outside.sealed({ tenant: 'other', start: 0, end: 10 });
    await clock.advance(durationMs);
    expect(outside.status()).toMatchObject([{ waiting: 3, reason: expect.stringMatching(/^CLY_/) }]);
    await outside.stop();
    return asked;
  }
  const [first, other] = ['acme', 'other'].map((tenant) => `${locationOf({ tenant, start: 0, end: 10 })}/checkpoint`);

  it('goes on with the others where a file of one tenant is missing, and keeps the order of its log', async () => {
    const missing = (asked: string[]): MemoryBlobStore =>
      new MemoryBlobStore((operation, name) => void (operation === 'get' && asked.push(name)));
    expect(await askedFor(missing, 900)).toEqual([first, other]);
    expect(await askedFor(missing, 3_500)).toEqual([first, other, first, other, first, other]);
  });

  it('holds all of them where it is away', async () => {
    const away = (asked: string[]): MemoryBlobStore =>
      new MemoryBlobStore((operation, name) => {
        if (operation !== 'get') return;
        asked.push(name);
        throw new ClyraError('CLY_TSA_UNAVAILABLE', 'away', { retry: 'backoff' });
      });
    expect(await askedFor(away, 3_500)).toEqual([first, first, first]);
  });
});
