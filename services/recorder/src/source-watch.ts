// SPDX-License-Identifier: Apache-2.0
import { requireUsable } from '@clyra/adapter-postgres/source-preflight';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import { coverageOf } from './observation/coverage-body.ts';
import type { SourcePort } from './source/source-port.ts';
import type { StreamSession } from './stream-session.ts';

export type WatchOptions = {
  readonly source: Pick<SourcePort, 'inspect'>;
  readonly clock: Clock;
  /** Why the source could not be asked; undefined once it was. */
  readonly onTrouble: (error: ClyraError | undefined) => void;
};

const INTERVAL_MS = 5_000;

/**
 * Asks a source again and again what it shows while a stream runs. A table that leaves the publication, by a rebuild
 * or by hand, goes silent without an error: a stream that no longer shows what is guarded is ended, and every other
 * change of what is shown becomes a new statement of coverage.
 */
export class SourceWatch {
  readonly #options: WatchOptions;
  readonly #session: Pick<StreamSession, 'cover' | 'fail'>;
  #over = false;
  #cancel = (): void => {};

  constructor(session: Pick<StreamSession, 'cover' | 'fail'>, options: WatchOptions) {
    this.#session = session;
    this.#options = options;
    this.#next();
  }

  end(): void {
    this.#over = true;
    this.#cancel();
  }

  #next(): void {
    if (!this.#over) this.#cancel = this.#options.clock.after(INTERVAL_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { source, onTrouble } = this.#options;
    try {
      const facts = await source.inspect();
      if (this.#over) return;
      onTrouble(undefined);
      const refusal = refusalOf(facts);
      if (refusal === undefined) this.#session.cover(coverageOf(facts));
      else this.#session.fail(refusal);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      if (!this.#over) onTrouble(error);
    }
    this.#next();
  }
}

function refusalOf(facts: Parameters<typeof requireUsable>[0]): ClyraError | undefined {
  try {
    requireUsable(facts);
    return undefined;
  } catch (error) {
    if (error instanceof ClyraError) return error;
    throw error;
  }
}
