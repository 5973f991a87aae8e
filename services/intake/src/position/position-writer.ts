// SPDX-License-Identifier: Apache-2.0
import type { PositionStore } from '@clyra/core/ports/position-store';
import { type IntakePosition, type PartitionPosition, saveRecent, saveWhole } from './intake-position.ts';

export type Known = {
  /** All that is known, at `partitions`; of the tenants only those of which something was read after `since`. */
  position(partitions: readonly PartitionPosition[], since: readonly PartitionPosition[]): IntakePosition;
  readonly tenantCount: number;
};

/** A whole position is written again once this part of the tenants would have to stand in the recent one. */
const RECENT_SHARE_MAX = 0.25;

/**
 * Saves positions, and of thousands of tenants that are quiet nothing: what is known is a function of the places in the
 * log, so that nothing is written while these stand still, and beside a whole position only who was heard of since.
 */
export class PositionWriter {
  readonly #store: PositionStore;
  readonly #name: string;
  /** Where the newest whole position stands; undefined where it is not known whether it is on the disk. */
  #whole: readonly PartitionPosition[] | undefined;
  /** Of the newest position, whole or recent. */
  #places = '';

  constructor(store: PositionStore, name: string) {
    this.#store = store;
    this.#name = name;
  }

  /**
   * Rejects as the store does; then the next time everything is written. What is known is asked for before anything is
   * waited for: it must be that of these places.
   */
  async save(partitions: readonly PartitionPosition[], known: Known): Promise<void> {
    const places = JSON.stringify(partitions);
    if (places === this.#places) return;
    const since = this.#whole;
    const recent = since === undefined ? undefined : known.position(partitions, since);
    this.#places = '';
    if (since !== undefined && recent !== undefined && isFew(recent.activity.length, known.tenantCount)) {
      await saveRecent(this.#store, this.#name, { since, position: recent });
    } else {
      const position = known.position(partitions, []);
      this.#whole = undefined;
      await saveWhole(this.#store, this.#name, position);
      this.#whole = partitions;
    }
    this.#places = places;
  }
}

function isFew(count: number, tenantCount: number): boolean {
  return count <= tenantCount * RECENT_SHARE_MAX;
}
