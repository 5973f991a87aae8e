// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { encodeRecord } from '../canonical/record.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import { leafHash } from '../merkle/hash.ts';

/** What the log of a tenant's bundles holds of one (docs/spec/bundle.md §7): hashes only, fit for strangers. */
export type BundleLeaf = {
  readonly manifest: Digest;
  readonly origin: string;
  readonly range: { readonly start: number; readonly end: number };
  readonly root: Digest;
};

/** Where a bundle stands in that log, as its manifest says. */
export type BundlePlace = { readonly number: number; readonly frontier: readonly Digest[] };

export const FIRST_PLACE: BundlePlace = { number: 0, frontier: [] };

export function bundleLogOrigin(origin: string): string {
  return `${origin}/bundles`;
}

/** The data of a bundle's leaf. */
export function bundleLeaf({ manifest, origin, range: { start, end }, root }: BundleLeaf): Uint8Array {
  return encodeRecord({ manifest, origin, range: { start, end }, root, v: 0 });
}

/** The log with the bundle of this place: its size, its root, and the place of the next bundle. */
export function afterBundle(place: BundlePlace, leaf: BundleLeaf): { size: number; root: Digest; next: BundlePlace } {
  const tree = new CompactRange(place.number, place.frontier);
  tree.append(leafHash(bundleLeaf(leaf)));
  return { size: tree.size, root: tree.root(), next: { number: tree.size, frontier: tree.roots } };
}
