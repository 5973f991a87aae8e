// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { StateExpiry } from './state-expiry.ts';

const MANY = 300_000;

describe('what expires', () => {
  it('is told by step, as long as it is not removed', () => {
    const expiry = new StateExpiry();
    expiry.add('early', { expires_at: 5_000 });
    expiry.add('late', { expires_at: 25_000 });
    expiry.add('held', { expires_at: 5_000, state: 'in_flight' });
    expect(expiry.dueBy(9_999)).toEqual(['early']);
    expect(expiry.dueBy(9_999)).toEqual(['early']);
    expiry.remove('early', { expires_at: 5_000 });
    expect(expiry.dueBy(9_999)).toEqual([]);
    expect(expiry.dueBy(30_000)).toEqual(['late']);
  });

  // A tenant at its top rate leaves over a hundred thousand keys to one step; more than a call takes as arguments.
  it('may be hundreds of thousands at once', () => {
    const expiry = new StateExpiry();
    for (let index = 0; index < MANY; index += 1) expiry.add(`key-${index}`, { expires_at: 1_000 });
    expect(expiry.dueBy(2_000)).toHaveLength(MANY);
  });
});
