// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestBytes, digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';

/** One key of a state. Its line is made when it is needed, and kept until the value is replaced. */
export type StateEntry = { readonly key: string; value: JsonObject; line: string | undefined; readonly bucket: Bucket };

type Group = (Bucket | undefined)[];

export type Bucket = {
  readonly name: number;
  readonly entries: Map<string, StateEntry>;
  digest: Uint8Array | undefined;
};

const GROUP_COUNT = 256;
const GROUP_SIZE = 256;
/** What a cut may find to hash: some tens of milliseconds. */
const STALE_COUNT_KEPT = 4_096;
const EMPTY_GROUP = digestBytes(digestOf(''));

/**
 * The tree over a state (docs/spec/records.md §2): keys lie in 65,536 buckets by the first two bytes of their hash, the
 * buckets in 256 groups. What a cut hashes is in proportion to the keys that were written since the last one, however
 * many there are; and most of that can be done before, by `refresh`.
 */
export class StateBuckets {
  readonly #groups: (Group | undefined)[] = new Array(GROUP_COUNT).fill(undefined);
  readonly #groupDigests: (Uint8Array | undefined)[] = new Array(GROUP_COUNT).fill(EMPTY_GROUP);
  /** The longest untouched first. */
  readonly #stale = new Set<Bucket>();

  add(key: string, value: JsonObject): StateEntry {
    const bucket = this.#bucketAt(bucketNameOf(key));
    const entry: StateEntry = { key, value, line: undefined, bucket };
    bucket.entries.set(key, entry);
    this.#touch(bucket);
    return entry;
  }

  replace(entry: StateEntry, value: JsonObject): void {
    entry.value = value;
    entry.line = undefined;
    this.#touch(entry.bucket);
  }

  remove({ key, bucket }: StateEntry): void {
    bucket.entries.delete(key);
    this.#touch(bucket);
  }

  /**
   * Hashes at most so many buckets that a cut would have to hash otherwise, and only so many that a cut is quick. Those
   * just written are left: most of them are written again soon. It changes no digest.
   */
  refresh(countMax: number): void {
    this.#hashOldest(Math.min(countMax, this.#stale.size - STALE_COUNT_KEPT));
  }

  #hashOldest(countMax: number): void {
    let count = 0;
    for (const bucket of this.#stale) {
      if (count >= countMax) return;
      count += 1;
      this.#stale.delete(bucket);
      hashBucket(bucket);
    }
  }

  digest(): Digest {
    this.#hashOldest(Number.POSITIVE_INFINITY);
    return digestOf(Buffer.concat(this.#groups.map((group, index) => this.#groupDigest(group, index))));
  }

  /** The lines of the state artifact, in its order. */
  lines(): string[] {
    const lines: string[] = [];
    for (const group of this.#groups) {
      for (const bucket of group ?? []) {
        if (bucket !== undefined) for (const entry of sorted(bucket)) lines.push(lineOf(entry));
      }
    }
    return lines;
  }

  #bucketAt(name: number): Bucket {
    const index = name >> 8;
    let group = this.#groups[index];
    if (group === undefined) {
      group = new Array<Bucket | undefined>(GROUP_SIZE).fill(undefined);
      this.#groups[index] = group;
    }
    let bucket = group[name & 0xff];
    if (bucket === undefined) {
      bucket = { name, entries: new Map(), digest: undefined };
      group[name & 0xff] = bucket;
    }
    return bucket;
  }

  #touch(bucket: Bucket): void {
    bucket.digest = undefined;
    this.#groupDigests[bucket.name >> 8] = undefined;
    this.#stale.delete(bucket);
    this.#stale.add(bucket);
  }

  #groupDigest(group: Group | undefined, index: number): Uint8Array {
    const known = this.#groupDigests[index];
    if (known !== undefined) return known;
    const parts: Uint8Array[] = [];
    group?.forEach((bucket, place) => {
      if (bucket === undefined) return;
      if (bucket.entries.size === 0) group[place] = undefined;
      else parts.push(Uint8Array.of(place), bucket.digest ?? hashBucket(bucket));
    });
    const digest = digestBytes(digestOf(Buffer.concat(parts)));
    this.#groupDigests[index] = digest;
    return digest;
  }
}

/** The first two bytes of the key's hash. */
export function bucketNameOf(key: string): number {
  return Number.parseInt(digestOf(key).slice(0, 4), 16);
}

function hashBucket(bucket: Bucket): Uint8Array {
  let text = '';
  for (const entry of sorted(bucket)) text += lineOf(entry);
  bucket.digest = digestBytes(digestOf(text));
  return bucket.digest;
}

function sorted({ entries }: Bucket): StateEntry[] {
  const list = [...entries.values()];
  return list.length < 2 ? list : list.sort((a, b) => (a.key < b.key ? -1 : 1));
}

function lineOf(entry: StateEntry): string {
  entry.line ??= `${canonicalJson({ key: entry.key, value: entry.value })}\n`;
  return entry.line;
}
