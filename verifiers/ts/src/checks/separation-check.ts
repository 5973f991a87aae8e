// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine, ObservedLine } from '../journal/line.ts';

type Part = 'change' | 'receipt' | 'transaction';
/** No range has as many keys; what comes on top is not followed, and the memory stays bounded. */
const KEYS_MAX = 65_536;

/** Whether a key signed in two parts that the manifest says are apart (bundle.md §3, separation). */
export class SeparationCheck {
  readonly #parts: Map<string, Part> = new Map();
  #shared: string | null = null;

  /** A key that signed in two parts, or null. */
  get shared(): string | null {
    return this.#shared;
  }

  decided(line: DecidedLine): void {
    this.#note(line.change.sig.key_id, 'change');
    if (line.receipt.sig !== null) {
      this.#note(line.receipt.sig.key_id, 'receipt');
    }
  }

  observed(line: ObservedLine): void {
    if (line.observed?.of === 'transaction') {
      this.#note(line.observation.sig.key_id, 'transaction');
    }
  }

  #note(keyId: string, part: Part): void {
    const known = this.#parts.get(keyId);
    if (known === undefined) {
      if (this.#parts.size < KEYS_MAX) {
        this.#parts.set(keyId, part);
      }
    } else if (known !== part) {
      this.#shared ??= keyId;
    }
  }
}
