// SPDX-License-Identifier: Apache-2.0
import { encodeRecord } from '@clyra/core/canonical/record';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogAppender, RecordLog } from '@clyra/core/ports/record-log';

export type EdgeParts = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly topic: string;
};

type Count = { count: number; readonly fromMs: number };

const FLUSH_MS = 1_000;
const APPEND_DEADLINE_MS = 3_000;

/**
 * Refusals before a caller is known, counted by code and written once a second: whoever floods us with nonsense fills
 * no tenant's log. The codes are ours, so the table is bounded; while the log is away it only counts on.
 */
export class EdgeCounter {
  readonly #parts: EdgeParts;
  readonly #appender: LogAppender;
  readonly #counts = new Map<string, Count>();
  #flushing = false;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(parts: EdgeParts) {
    this.#parts = parts;
    this.#appender = parts.log.appender('intake-edge');
  }

  count(code: string, amount = 1): void {
    const known = this.#counts.get(code);
    if (known !== undefined) known.count += amount;
    else this.#counts.set(code, { count: amount, fromMs: this.#parts.clock.nowMs() });
    if (!this.#closed) this.#cancelTimer ??= this.#parts.clock.after(FLUSH_MS, () => void this.#flush());
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#flush();
    await this.#appender.close();
  }

  async #flush(): Promise<void> {
    this.#cancelTimer = undefined;
    if (this.#flushing || this.#counts.size === 0) return;
    this.#flushing = true;
    const taken = new Map(this.#counts);
    this.#counts.clear();
    try {
      const { topic, codec, clock } = this.#parts;
      const records = [...taken].map(([code, { count, fromMs }]) => {
        const body = encodeRecord({ code, count, from: fromMs, to: clock.nowMs() });
        return { key: null, value: codec.encode('EdgeEnvelope', { body }) };
      });
      await this.#appender.append([{ topic, partition: 0, records }], APPEND_DEADLINE_MS);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      this.#takeBack(taken);
    }
    this.#flushing = false;
    if (this.#counts.size > 0 && !this.#closed) {
      this.#cancelTimer ??= this.#parts.clock.after(FLUSH_MS, () => void this.#flush());
    }
  }

  #takeBack(taken: ReadonlyMap<string, Count>): void {
    for (const [code, { count, fromMs }] of taken) {
      this.#counts.set(code, { count: count + (this.#counts.get(code)?.count ?? 0), fromMs });
    }
  }
}
