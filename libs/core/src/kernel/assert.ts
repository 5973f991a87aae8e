// SPDX-License-Identifier: Apache-2.0
/** A broken invariant: a bug in our code, never bad input. It crashes the process on purpose. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
