// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/** The machine's time, for tests against real servers. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
