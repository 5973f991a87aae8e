// SPDX-License-Identifier: Apache-2.0
/** What one block of load brought. Latencies are in milliseconds and only of requests answered 200. */
export type LoadResult = {
  readonly latenciesMs: readonly number[];
  readonly durationMs: number;
  /** Answers other than 200, by status. */
  readonly failures: ReadonlyMap<number, number>;
  /** Open load only: how late the generator itself sent, which is part of the latency. */
  readonly latenessMs: readonly number[];
};

/** A request that was answered: `startMs` is when it was due, or sent; both on the epoch's clock. */
export type Sample = { readonly eventId: string; readonly startMs: number; readonly endMs: number };

export class LoadRecorder {
  readonly #latenciesMs: number[] = [];
  readonly #latenessMs: number[] = [];
  readonly #failures = new Map<number, number>();
  readonly #startMs = performance.now();

  answered(status: number, latencyMs: number): void {
    if (status === 200) this.#latenciesMs.push(latencyMs);
    else this.#failures.set(status, (this.#failures.get(status) ?? 0) + 1);
  }

  late(latenessMs: number): void {
    this.#latenessMs.push(latenessMs);
  }

  result(): LoadResult {
    return {
      latenciesMs: this.#latenciesMs,
      latenessMs: this.#latenessMs,
      durationMs: performance.now() - this.#startMs,
      failures: this.#failures,
    };
  }
}
