// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

const KEPT_BYTES_MAX = 65_536;

/**
 * The body of a long answer. Its upstream is read no faster than its reader; a reader that leaves before the end cuts the
 * connection, and a connection that is cut before the end makes it an error.
 */
export class AnswerStream extends Readable {
  readonly #controller: Dispatcher.DispatchController;
  #isWhole = false;

  constructor(controller: Dispatcher.DispatchController) {
    super({ highWaterMark: KEPT_BYTES_MAX });
    this.#controller = controller;
    // Its reader may come later than its end.
    this.on('error', () => {});
  }

  receive(piece: Uint8Array): void {
    if (!this.push(piece)) this.#controller.pause();
  }

  finish(): void {
    this.#isWhole = true;
    this.push(null);
  }

  /** What was taken is handed over first where somebody waits for it. */
  fail(error: Error): void {
    queueMicrotask(() => this.destroy(error));
  }

  override _read(): void {
    this.#controller.resume();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isWhole) this.#controller.abort(error ?? new Error('the reader left before the end of the answer'));
    done(error);
  }
}
