// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { EvidenceSender } from './evidence-sender.ts';

export type Unrecorded = { readonly tenant: string; readonly partition: number; readonly eventId: string };

export type ReviewGapParts = { readonly clock: Clock; readonly sender: Pick<EvidenceSender, 'send'> };

type Gap = { readonly partition: number; readonly first: string; last: string; count: number };

/** Those of one moment are one gap. */
const GATHER_MS = 1_000;

/**
 * Review mode forwards at once: a change that could not be recorded beside it is missing in the log. The log says so when
 * it is back: one gap from the first to the last of them, by event id. While one is under way, the next is gathered.
 */
export class ReviewGaps {
  readonly #parts: ReviewGapParts;
  readonly #gathered = new Map<string, Gap>();
  readonly #busy = new Set<string>();

  constructor(parts: ReviewGapParts) {
    this.#parts = parts;
  }

  unrecorded({ tenant, partition, eventId }: Unrecorded): void {
    const gap = this.#gathered.get(tenant);
    if (gap === undefined) this.#gathered.set(tenant, { partition, first: eventId, last: eventId, count: 1 });
    else {
      gap.last = eventId;
      gap.count += 1;
    }
    if (this.#busy.has(tenant)) return;
    this.#busy.add(tenant);
    this.#parts.clock.after(GATHER_MS, () => void this.#write(tenant));
  }

  async #write(tenant: string): Promise<void> {
    for (let gap = this.#gathered.get(tenant); gap !== undefined; gap = this.#gathered.get(tenant)) {
      this.#gathered.delete(tenant);
      const { partition, first, last, count } = gap;
      const detectedAtMs = this.#parts.clock.nowMs();
      const members = {
        from_lsn: first,
        to_lsn: last,
        reason: 'review_unrecorded',
        detected_at: detectedAtMs,
        changes: count,
      };
      if (!(await this.#parts.sender.send({ kind: 'gap', tenant, partition, members }))) break;
    }
    this.#busy.delete(tenant);
  }
}
