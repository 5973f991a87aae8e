// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/**
 * The machine's clock. A pending task keeps the process alive until it ran or was cancelled. One without delay runs after
 * what is under way, where a timer would wait for the next millisecond.
 */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, task) => {
    if (delayMs === 0) {
      const turn = setImmediate(task);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
