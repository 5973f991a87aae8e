// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';

/** The machine's clock. A pending task keeps the process alive until it ran or was cancelled. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
};
