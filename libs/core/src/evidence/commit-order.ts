// SPDX-License-Identifier: Apache-2.0
import type { GapBody, TransactionBody } from './observation-body.ts';

export type NewestCommit = { readonly systemId: string; readonly timeline: number; readonly lsn: bigint };

/**
 * A source's transactions come in the order of their commits, so a position that is not above the newest one is a
 * repetition: the log may hold a send twice whose answer was lost (docs/spec/bundle.md §1).
 */
export class CommitOrder {
  readonly #newest: Map<string, NewestCommit>;
  readonly #gaps = new Map<string, string>();

  constructor(newest: ReadonlyMap<string, NewestCommit> = new Map()) {
    this.#newest = new Map(newest);
  }

  /** Whether the transaction is new; it is then the newest of its source. */
  accept(body: Pick<TransactionBody, 'source_id' | 'system_id' | 'timeline' | 'commit_end_lsn'>): boolean {
    const lsn = lsnOf(body.commit_end_lsn);
    const newest = this.#newest.get(body.source_id);
    const same = newest !== undefined && newest.systemId === body.system_id && newest.timeline === body.timeline;
    if (same && lsn <= newest.lsn) return false;
    this.#newest.set(body.source_id, { systemId: body.system_id, timeline: body.timeline, lsn });
    return true;
  }

  /** Whether the gap is another one than the last of its source. */
  acceptGap(body: Pick<GapBody, 'source_id' | 'observation_id'>): boolean {
    if (this.#gaps.get(body.source_id) === body.observation_id) return false;
    this.#gaps.set(body.source_id, body.observation_id);
    return true;
  }
}

function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}
