// SPDX-License-Identifier: Apache-2.0
import type { PendingObservation } from './ledger-entry.ts';
import { ledgerLineBytes } from './open-grants.ts';

/** Bytes of the ledger's pending lines: 8 MiB. */
export const PENDING_BYTES_MAX = 8_388_608;

/** Touching transactions that no cut has judged yet, in leaf order (docs/spec/journal.md §4). */
export class PendingList {
  #list: PendingObservation[];
  #bytes: number;
  readonly #bytesMax: number;

  constructor(list: readonly PendingObservation[] = [], bytesMax: number = PENDING_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#list = [...list];
    this.#bytes = bytesOf(list);
  }

  get list(): readonly PendingObservation[] {
    return this.#list;
  }

  /** False where there is no room for it: it stays unjudged, and is counted so. */
  add(observation: PendingObservation): boolean {
    const bytes = ledgerLineBytes('pending', observation);
    if (this.#bytes + bytes > this.#bytesMax) return false;
    this.#list.push(observation);
    this.#bytes += bytes;
    return true;
  }

  settle(left: readonly PendingObservation[]): void {
    this.#list = [...left];
    this.#bytes = bytesOf(left);
  }
}

function bytesOf(list: readonly PendingObservation[]): number {
  return list.reduce((sum, one) => sum + ledgerLineBytes('pending', one), 0);
}
