// SPDX-License-Identifier: Apache-2.0
const WAITING_COUNT_MAX = 100_000;

type Missed = { readonly atMs: number; readonly sinceMs: number };

/** Statements that another view names and QUERY_HISTORY does not show yet: it may be late, but not for ever. */
export class MissingStatements {
  readonly #patienceMs: number;
  readonly #waiting = new Map<string, Missed>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /**
   * `named`: statements with their time, shown or not. Returns those that have been missed for longer than any promise,
   * counted from when they were first missed: a long statement is named under its start, and listed after its end.
   */
  overdue(
    named: ReadonlyMap<string, number>,
    { isShown, nowMs }: { readonly isShown: (queryId: string) => boolean; readonly nowMs: number },
  ): ReadonlyMap<string, number> {
    for (const queryId of this.#waiting.keys()) if (isShown(queryId)) this.#waiting.delete(queryId);
    for (const [queryId, atMs] of named) {
      if (isShown(queryId) || this.#waiting.has(queryId) || this.#waiting.size >= WAITING_COUNT_MAX) continue;
      this.#waiting.set(queryId, { atMs, sinceMs: nowMs });
    }
    const overdue = new Map<string, number>();
    for (const [queryId, { atMs, sinceMs }] of this.#waiting) {
      if (nowMs - sinceMs < this.#patienceMs) continue;
      overdue.set(queryId, atMs);
      this.#waiting.delete(queryId);
    }
    return overdue;
  }
}
