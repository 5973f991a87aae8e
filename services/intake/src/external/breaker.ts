// SPDX-License-Identifier: Apache-2.0
export const FAILURES_MAX = 5;
export const OPEN_MS = 10_000;

/** After some failures in a row nobody is asked for a while; then one question goes through, and its answer decides. */
export class Breaker {
  #failures = 0;
  #openUntilMs = 0;
  #trying = false;

  allows(nowMs: number): boolean {
    if (this.#failures < FAILURES_MAX) return true;
    if (nowMs < this.#openUntilMs || this.#trying) return false;
    this.#trying = true;
    return true;
  }

  note(answered: boolean, nowMs: number): void {
    this.#trying = false;
    this.#failures = answered ? 0 : this.#failures + 1;
    if (this.#failures >= FAILURES_MAX) this.#openUntilMs = nowMs + OPEN_MS;
  }
}
