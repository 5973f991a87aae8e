// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../../canonical/json-error.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import type { ItemSplitter, OnItem, SplitLimits } from './item-splitter.ts';

const LINE_FEED = 0x0a;

/** NDJSON: a value a line, LF between them and optionally at the end. An empty line is an item that no reader accepts. */
export class LineSplitter implements ItemSplitter {
  readonly #limits: SplitLimits;
  readonly #line: GatheredBytes;
  #count = 0;

  constructor(limits: SplitLimits) {
    this.#limits = limits;
    this.#line = new GatheredBytes(limits.itemBytesMax, 'a line');
  }

  push(chunk: Uint8Array, onItem: OnItem): void {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      this.#emit(this.#line.take(chunk.subarray(from, at)), onItem);
      from = at + 1;
    }
    this.#line.keep(chunk.subarray(from));
  }

  end(onItem: OnItem): undefined {
    if (this.#line.size > 0) this.#emit(this.#line.take(new Uint8Array()), onItem);
    return undefined;
  }

  #emit(bytes: Uint8Array, onItem: OnItem): void {
    if (this.#count >= this.#limits.itemsMax) {
      throw new JsonError('CLY_JSON_SIZE', `the body has more than ${this.#limits.itemsMax} items`, 0);
    }
    onItem(bytes, this.#count);
    this.#count += 1;
  }
}
