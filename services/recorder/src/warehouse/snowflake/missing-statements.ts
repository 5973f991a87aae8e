// SPDX-License-Identifier: Apache-2.0
const WAITING_COUNT_MAX = 100_000;

type Missed = { readonly atMs: number; readonly sinceMs: number };

/** Statements that another view names and QUERY_HISTORY does not show yet: it may be late, but not for ever. */
export class MissingStatements {
  readonly #patienceMs: number;
  readonly #countMax: number;
  readonly #waiting = new Map<string, Missed>();

  constructor(patienceMs: number, countMax = WAITING_COUNT_MAX) {
    this.#patienceMs = patienceMs;
    this.#countMax = countMax;
  }

  /** Of one that is named under two times the later one counts. False where there is no room for another. */
  name(queryId: string, atMs: number, nowMs: number): boolean {
    const known = this.#waiting.get(queryId);
    if (known === undefined && this.#waiting.size >= this.#countMax) return false;
    this.#waiting.set(queryId, { atMs: Math.max(atMs, known?.atMs ?? 0), sinceMs: known?.sinceMs ?? nowMs });
    return true;
  }

  /** What was shown meanwhile, or was said to be missing, is waited for no longer. */
  settle(isOver: (queryId: string, atMs: number) => boolean): void {
    for (const [queryId, { atMs }] of this.#waiting) if (isOver(queryId, atMs)) this.#waiting.delete(queryId);
  }

  /**
   * Those that have been missed for longer than any promise, with their time; counted from when they were first missed:
   * a long statement is named under its start, and listed after its end. They stay until they are settled.
   */
  overdue(nowMs: number): ReadonlyMap<string, number> {
    const overdue = new Map<string, number>();
    for (const [queryId, { atMs, sinceMs }] of this.#waiting) {
      if (nowMs - sinceMs >= this.#patienceMs) overdue.set(queryId, atMs);
    }
    return overdue;
  }
}
