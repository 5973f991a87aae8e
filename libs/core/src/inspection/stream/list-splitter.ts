// SPDX-License-Identifier: Apache-2.0
import { JsonError, type JsonErrorCode } from '../../canonical/json-error.ts';
import { AroundScan } from './around-scan.ts';
import { GatheredBytes } from './gathered-bytes.ts';
import { ItemScan } from './item-scan.ts';
import type { ItemSplitter, OnItem, SplitLimits } from './item-splitter.ts';

const COMMA = 0x2c;
const LIST_END = 0x5d;

/**
 * One JSON value with a long list in it: the items of the list one by one, and what stands around them. It looks at
 * structure only. If the strict reader accepts every item, and accepts what is around them with `[]` in their place,
 * then it would accept the whole text: nothing but commas and white space is left out between the two.
 */
export class ListSplitter implements ItemSplitter {
  readonly #limits: SplitLimits;
  readonly #around: GatheredBytes;
  readonly #aroundScan: AroundScan;
  readonly #item: GatheredBytes;
  readonly #itemScan = new ItemScan();
  #place: 'around' | 'between' | 'item' = 'around';
  /** Between items: what may come next. */
  #next: 'item or end' | 'item' | 'comma or end' = 'item or end';
  #count = 0;
  #offset = 0;

  /** `path`: the names that lead from the root to the list; none where the root is the list. */
  constructor(path: readonly string[], limits: SplitLimits) {
    this.#limits = limits;
    this.#around = new GatheredBytes(limits.aroundBytesMax, 'what stands around the items');
    this.#item = new GatheredBytes(limits.itemBytesMax, 'an item');
    this.#aroundScan = new AroundScan(path);
  }

  get wasFound(): boolean {
    return this.#aroundScan.wasFound;
  }

  push(chunk: Uint8Array, onItem: OnItem): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#place === 'around') at = this.#readAround(chunk, at);
      else if (this.#place === 'between') at = this.#readBetween(chunk, at);
      else at = this.#readItem(chunk, at, onItem);
    }
    this.#offset += chunk.length;
  }

  end(_onItem: OnItem): Uint8Array {
    if (this.#place !== 'around') this.#fail('CLY_JSON_SYNTAX', 'the list has no end', 0);
    return this.#around.take(new Uint8Array());
  }

  #readAround(chunk: Uint8Array, from: number): number {
    const end = this.#aroundScan.scan(chunk, from);
    this.#around.keep(chunk.subarray(from, end));
    if (this.#aroundScan.isAtList) {
      this.#aroundScan.leaveList();
      this.#place = 'between';
      this.#next = 'item or end';
    }
    return end;
  }

  #readBetween(chunk: Uint8Array, from: number): number {
    let at = from;
    while (isSpace(chunk[at])) at += 1;
    const byte = chunk[at];
    if (byte === undefined) return at;
    if (byte === LIST_END && this.#next !== 'item') {
      this.#place = 'around';
      return at;
    }
    if (byte === COMMA && this.#next === 'comma or end') {
      this.#next = 'item';
      return at + 1;
    }
    if (this.#next === 'comma or end') this.#fail('CLY_JSON_SYNTAX', 'a comma or closing bracket was expected', at);
    if (this.#count >= this.#limits.itemsMax) {
      this.#fail('CLY_JSON_SIZE', `the list has more than ${this.#limits.itemsMax} items`, at);
    }
    this.#itemScan.begin();
    this.#place = 'item';
    return at;
  }

  #readItem(chunk: Uint8Array, from: number, onItem: OnItem): number {
    const end = this.#itemScan.scan(chunk, from);
    if (!this.#itemScan.isDone) {
      this.#item.keep(chunk.subarray(from, end));
      return end;
    }
    onItem(this.#item.take(chunk.subarray(from, end)), this.#count);
    this.#count += 1;
    this.#next = 'comma or end';
    this.#place = 'between';
    return end;
  }

  #fail(code: JsonErrorCode, message: string, at: number): never {
    throw new JsonError(code, message, this.#offset + at);
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
