// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';

const PAUSE_MIN_MS = 50;
const PAUSE_MAX_MS = 2_000;
const REPEAT_LOG_MS = 10_000;

export type PersistenceOptions = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told what is waited for, and undefined when it goes on. */
  readonly onWaiting: (reason: string | undefined) => void;
};

/** Does one thing until it succeeds: evidence may be late and says so, it is never skipped. */
export class Persistence {
  readonly #options: PersistenceOptions;
  #stopping = false;

  constructor(options: PersistenceOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopping = true;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Repeats `action`, which bounds its own time, while its errors may pass. Rejects with an error that never passes,
   * with a bug, or with CLY_SERVICE_STOPPING.
   */
  async until<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { clock, logger, onWaiting } = this.#options;
    let loggedMs = Number.NEGATIVE_INFINITY;
    let waited = false;
    for (let pauseMs = PAUSE_MIN_MS; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (this.#stopping) throw stopping();
      try {
        const result = await action();
        if (waited) onWaiting(undefined);
        return result;
      } catch (error) {
        if (!(error instanceof ClyraError) || error.retry === 'never') throw error;
        waited = true;
        onWaiting(`${what}: ${error.code}`);
        if (clock.nowMs() - loggedMs >= REPEAT_LOG_MS) {
          loggedMs = clock.nowMs();
          logger.warn(`waiting: ${what}`, { code: error.code, error: error.message });
        }
      }
      await sleep(clock, pauseMs);
    }
  }
}

export function stopping(): ClyraError {
  return new ClyraError('CLY_SERVICE_STOPPING', 'the service is stopping', { retry: 'never' });
}
