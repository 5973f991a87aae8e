// SPDX-License-Identifier: Apache-2.0

export type SplitLimits = {
  /** Of one item, in bytes. */
  readonly itemBytesMax: number;
  /** Of all that is no item, in bytes. */
  readonly aroundBytesMax: number;
  readonly itemsMax: number;
};

/** Receives each item's bytes; they are valid during the call only. */
export type OnItem = (bytes: Uint8Array, index: number) => void;

/** Cuts a body into items as its chunks arrive, wherever the chunks end. Throws JsonError. */
export interface ItemSplitter {
  push(chunk: Uint8Array, onItem: OnItem): void;
  /** What stands around the items, with an empty list in their place; undefined where there is nothing around them. */
  end(onItem: OnItem): Uint8Array | undefined;
}
