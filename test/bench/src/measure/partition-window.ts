// SPDX-License-Identifier: Apache-2.0
/** How many changes of one partition wait for their receipts, held below a bound. One taker at a time. */
export class PartitionWindow {
  readonly #max: number;
  #waiting = 0;
  #wake: () => void = () => {};

  constructor(max: number) {
    this.#max = max;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves with how many may be sent now: at least one, at most `wanted`. */
  async take(wanted: number): Promise<number> {
    while (this.#waiting >= this.#max) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const count = Math.min(wanted, this.#max - this.#waiting);
    this.#waiting += count;
    return count;
  }

  answered(count: number): void {
    this.#waiting = Math.max(0, this.#waiting - count);
    this.#wake();
  }
}
