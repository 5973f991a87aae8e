// SPDX-License-Identifier: Apache-2.0
import { bundleLocation, checkpointName } from '@clyra/core/evidence/bundle-names';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { describe, expect, it } from '@jest/globals';
import { loadHistory } from './sealed-history.ts';

const MINUTES_OF_A_YEAR = 525_600;

describe('a start', () => {
  it('finds the newest of a year of checkpoints', async () => {
    const names = Array.from({ length: MINUTES_OF_A_YEAR }, (_, index) => checkpointName('acme', (index + 1) * 10));
    const asked: string[] = [];
    const blobs = new MemoryBlobStore((_, name) => {
      asked.push(name);
    });
    blobs.list = async () => names;
    await expect(loadHistory(blobs)).rejects.toMatchObject({ code: 'CLY_LOG_DAMAGED' });
    const end = MINUTES_OF_A_YEAR * 10;
    expect(asked).toEqual([
      checkpointName('acme', end),
      `${bundleLocation('acme', { start: end - 10, end })}/manifest.json`,
    ]);
  });
});
