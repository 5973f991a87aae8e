// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { repairRequestQueue } from './request-queue-repair.ts';

const load = createRequire(import.meta.url);

type Queue = {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  maxInFlightRequests: number;
};

function newQueue(): Queue & Record<string, (...given: unknown[]) => void> {
  const RequestQueue = load('kafkajs/src/network/requestQueue/index.js');
  const logger = { debug: () => {}, warn: () => {} };
  return new RequestQueue({ maxInFlightRequests: 1, requestTimeout: 1_000, logger, clientId: 'test', broker: 'b' });
}

describe('the repaired request queue of kafkajs', () => {
  it('is still the version that needs the repair', () => {
    expect(load('kafkajs/package.json').version).toBe('2.2.4');
  });

  it('arms no timer while nothing waits for it', () => {
    repairRequestQueue();
    const queue = newQueue();
    queue['scheduleCheckPendingRequests']?.();
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  it('sends a throttled request once the throttling is over', async () => {
    repairRequestQueue();
    const queue = newQueue();
    const sentAtMs: number[] = [];
    queue.throttledUntil = Date.now() + 60;
    queue['push']?.({
      entry: { correlationId: 1, resolve: () => {}, reject: () => {} },
      expectResponse: true,
      requestTimeout: null,
      sendRequest: () => sentAtMs.push(Date.now()),
    });
    expect(sentAtMs).toEqual([]);
    await new Promise((resolve) => {
      setTimeout(resolve, 120);
    });
    expect(sentAtMs.length).toBe(1);
    expect(sentAtMs[0]).toBeGreaterThanOrEqual(queue.throttledUntil);
    expect(queue.pending).toEqual([]);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });
});
