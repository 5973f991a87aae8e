// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import type { DecidedLine, ObservedLine } from './journal-line.ts';
import { memberOf } from './metrics/count.ts';

export type NamedDocument = { readonly sha256: Digest; readonly size: number };

/** Different documents of one range that a bundle may carry; beyond it they are named but not held. */
export const DOCUMENT_COUNT_MAX = 3_072;
const MENTIONS_OF_CHANGE_MAX = 16;

/** The documents that the lines of a range name by digest (docs/spec/bundle.md §3, §4). */
export class RangeDocuments {
  named = 0;
  readonly #mentions = new Map<string, { readonly document: NamedDocument; count: number }>();

  decided({ change: { body } }: DecidedLine): void {
    const list = memberOf(body, 'documents');
    if (!Array.isArray(list)) return;
    for (const entry of list.slice(0, MENTIONS_OF_CHANGE_MAX)) this.#mention(entry as JsonValue);
  }

  observed({ observation: { body } }: ObservedLine): void {
    if (body.kind === 'document') this.#mention({ sha256: body.sha256, size: body.size });
  }

  /** Each once, in the order in which they were named. */
  get documents(): readonly NamedDocument[] {
    return [...this.#mentions.values()].map(({ document }) => document);
  }

  /** How many mentions name one of these. */
  heldOf(held: readonly NamedDocument[]): number {
    return held.reduce((sum, one) => sum + (this.#mentions.get(keyOf(one))?.count ?? 0), 0);
  }

  #mention(entry: JsonValue): void {
    const [sha256, size] = isJsonObject(entry) ? [entry['sha256'], entry['size']] : [];
    if (typeof sha256 !== 'string' || !DIGEST.test(sha256) || !Number.isSafeInteger(size)) return;
    this.named += 1;
    const document = { sha256, size: size as number };
    const known = this.#mentions.get(keyOf(document));
    if (known !== undefined) known.count += 1;
    else if (this.#mentions.size < DOCUMENT_COUNT_MAX) this.#mentions.set(keyOf(document), { document, count: 1 });
  }
}

function keyOf({ sha256, size }: NamedDocument): string {
  return `${sha256} ${size}`;
}
