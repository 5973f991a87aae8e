// SPDX-License-Identifier: Apache-2.0
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import type { SourceMark } from '../source/source-port.ts';

const WAITING_MAX = 64;

/** Marks of the source's clock that wait until the stream has passed their position. */
export class Watermarks {
  #waiting: { readonly lsn: bigint; readonly mark: SourceMark }[] = [];

  /** Under a backlog the oldest marks are kept: they are passed first, and always newer ones alone never would be. */
  add(mark: SourceMark): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ lsn: parseLsn(mark.lsn), mark });
  }

  /** The newest mark at or before `lsn`; it and all before it are taken off. */
  passed(lsn: bigint): SourceMark | undefined {
    // Asked for each transaction, and nearly always in vain.
    const oldest = this.#waiting[0];
    if (oldest === undefined || oldest.lsn > lsn) return undefined;
    const index = this.#waiting.findLastIndex((waiting) => waiting.lsn <= lsn);
    return this.#waiting.splice(0, index + 1).at(-1)?.mark;
  }

  clear(): void {
    this.#waiting = [];
  }
}
