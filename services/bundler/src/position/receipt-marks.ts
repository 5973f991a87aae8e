// SPDX-License-Identifier: Apache-2.0
import type { ReceiptMark } from './lane-position.ts';

/** Between two marks, in receipts: what a start follows the chain over once more. */
const EACH_COUNT = 64;
const KEPT_MAX = 4_096;

/** Places among the receipts that were followed, for a position that lies behind them. */
export class ReceiptMarks {
  #marks: ReceiptMark[];
  #sinceMark = 0;

  /** `saved` is where following began, if it began at a saved place. */
  constructor(saved: ReceiptMark | null) {
    this.#marks = saved === null ? [] : [saved];
  }

  note(mark: ReceiptMark): void {
    this.#sinceMark += 1;
    if (this.#sinceMark < EACH_COUNT && this.#marks.length > 0) return;
    this.#sinceMark = 0;
    this.#marks.push(mark);
    // A position that is left far behind needs fewer places, not more memory.
    if (this.#marks.length > KEPT_MAX) this.#marks = this.#marks.filter((_, index) => index % 2 === 0);
  }

  /** The newest place at or before this change; null where none is known. */
  upTo(changeOffset: number): ReceiptMark | null {
    return this.#marks.findLast((mark) => mark.change_offset <= changeOffset) ?? null;
  }

  /** Nothing before this change will be asked for any more. */
  forgetBefore(changeOffset: number): void {
    const at = this.#marks.findLastIndex((mark) => mark.change_offset <= changeOffset);
    if (at > 0) this.#marks = this.#marks.slice(at);
  }
}
