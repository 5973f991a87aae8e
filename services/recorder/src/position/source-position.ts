// SPDX-License-Identifier: Apache-2.0
import { formatLsn, type LsnText, parseLsn } from '@clyra/adapter-postgres/lsn';
import type { SourceCheckpoint } from '@clyra/adapter-postgres/slot-continuity';
import type { Incarnation } from '../observation/observation-draft.ts';
import type { LoggedPosition } from './newest-observation.ts';

/**
 * How far a source was read, in two steps: `handled` is in the log or on its way in order, `durable` is in the log.
 * Only what is durable may be confirmed to PostgreSQL, and only what lies beyond `handled` is written.
 */
export class SourcePosition {
  #incarnation: Incarnation | undefined;
  #handledLsn = 0n;
  #durableLsn = 0n;
  /** Of the newest record of this source that is accounted for here. */
  #offset = -1;
  #isSetBack = false;

  get incarnation(): Incarnation | undefined {
    return this.#incarnation;
  }

  get handledLsn(): bigint {
    return this.#handledLsn;
  }

  get durableLsn(): bigint {
    return this.#durableLsn;
  }

  get durableText(): LsnText | null {
    return this.#incarnation === undefined ? null : formatLsn(this.#durableLsn);
  }

  /** undefined while nothing was ever recorded. */
  get checkpoint(): SourceCheckpoint | undefined {
    if (this.#incarnation === undefined) return undefined;
    return { ...this.#incarnation, confirmedLsn: formatLsn(this.#durableLsn) };
  }

  /** The log of this incarnation was set back: its positions name other transactions than those observed. */
  get isSetBack(): boolean {
    return this.#isSetBack;
  }

  isIn(incarnation: Incarnation): boolean {
    return this.#incarnation?.systemId === incarnation.systemId && this.#incarnation.timeline === incarnation.timeline;
  }

  /** What the log holds by now; another recorder may have been at work meanwhile. */
  adopt(logged: LoggedPosition | undefined): void {
    if (logged === undefined || logged.offset <= this.#offset) return;
    const lsn = parseLsn(logged.lsn);
    if (!this.isIn(logged)) this.#restart(logged, lsn);
    if (logged.isSetBack === true) this.#isSetBack = true;
    this.#durableLsn = larger(this.#durableLsn, lsn);
    this.#handledLsn = larger(this.#handledLsn, lsn);
    this.#offset = logged.offset;
  }

  /** The first stream of a source, or the first after a gap: from here on nothing is missing. */
  begin(incarnation: Incarnation, lsn: LsnText): void {
    this.#restart(incarnation, parseLsn(lsn));
  }

  /** A gap at `offset` says so. Nothing may be read of this incarnation any more. */
  setBack(offset: number): void {
    this.#isSetBack = true;
    this.recorded(offset);
  }

  handle(lsn: bigint): void {
    this.#handledLsn = larger(this.#handledLsn, lsn);
  }

  /** A record that says "everything up to `lsn`" stands at `offset`. */
  settle(lsn: bigint, offset: number): void {
    this.#durableLsn = larger(this.#durableLsn, lsn);
    this.recorded(offset);
  }

  recorded(offset: number): void {
    this.#offset = Math.max(this.#offset, offset);
  }

  #restart(incarnation: Incarnation, lsn: bigint): void {
    this.#incarnation = { systemId: incarnation.systemId, timeline: incarnation.timeline };
    this.#isSetBack = false;
    this.#handledLsn = lsn;
    this.#durableLsn = lsn;
  }
}

function larger(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
