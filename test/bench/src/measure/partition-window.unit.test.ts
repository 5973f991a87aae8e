// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { PartitionWindow } from './partition-window.ts';

describe('the window of a partition', () => {
  it('gives what is free, and waits for an answer when nothing is', async () => {
    const window = new PartitionWindow(10);
    expect(await window.take(8)).toBe(8);
    expect(await window.take(8)).toBe(2);
    const next = window.take(8);
    window.answered(3);
    expect(await next).toBe(3);
    expect(window.waiting).toBe(10);
  });

  it('never has fewer than none waiting, whatever else is answered', async () => {
    const window = new PartitionWindow(4);
    window.answered(2);
    expect(await window.take(9)).toBe(4);
  });
});
