// SPDX-License-Identifier: Apache-2.0
import type { SourceLine } from '@clyra/core/evidence/journal-line';

/** A tenant that is quiet has a few lines in its open range; one that is busy has its next cut soon. */
const CARRIED_BYTES_MAX = 65_536;

/**
 * The sequenced lines of an open range while they are few, so that a position need not stay at the last cut of a
 * tenant to whom nothing happens but watermarks: of these a later one replaces the one before it, up to the next cut.
 */
export class CarriedLines {
  readonly #lines = new Map<number, Uint8Array>();
  readonly #watermarks = new Map<string, number>();
  #next = 0;
  #bytes = 0;
  #tooMany = false;

  /** undefined where there are too many to carry. */
  get lines(): readonly Uint8Array[] | undefined {
    return this.#tooMany ? undefined : [...this.#lines.values()];
  }

  add(line: SourceLine): void {
    if (this.#tooMany) return;
    if (line.kind === 'decided') {
      const { body } = line.receipt;
      // Watermarks before a cut are written down at it: they stay before it.
      if (body.kind === 'decided' && body.state_digest !== undefined) this.#watermarks.clear();
    } else if (line.observation.body.kind === 'watermark') {
      const { source_id: sourceId } = line.observation.body;
      this.#remove(this.#watermarks.get(sourceId));
      this.#watermarks.set(sourceId, this.#next);
    }
    // A copy: the bytes may be a view into a whole fetch.
    this.#lines.set(this.#next, Uint8Array.from(line.bytes));
    this.#next += 1;
    this.#bytes += line.bytes.length;
    if (this.#bytes <= CARRIED_BYTES_MAX) return;
    this.clear();
    this.#tooMany = true;
  }

  clear(): void {
    this.#lines.clear();
    this.#watermarks.clear();
    this.#bytes = 0;
    this.#tooMany = false;
  }

  #remove(ordinal: number | undefined): void {
    if (ordinal === undefined) return;
    this.#bytes -= this.#lines.get(ordinal)?.length ?? 0;
    this.#lines.delete(ordinal);
  }
}
