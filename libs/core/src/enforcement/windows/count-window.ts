// SPDX-License-Identifier: Apache-2.0
/** Counts by bucket: [number of the bucket, all, those that were bad]. */
export type CountBuckets = readonly (readonly [bucket: number, all: number, bad: number])[];

const BUCKET_COUNT = 60;

export type CountMoment = { readonly nowMs: number; readonly windowMs: number };

function widthOf(windowMs: number): number {
  return Math.ceil(windowMs / BUCKET_COUNT);
}

/** The counts with one more event. Rounded up: an event leaves with the end of its bucket. At most 61 buckets. */
export function withEvent(buckets: CountBuckets, isBad: boolean, { nowMs, windowMs }: CountMoment): CountBuckets {
  const width = widthOf(windowMs);
  const now = Math.floor(nowMs / width);
  const kept = buckets.filter(([bucket]) => (bucket + 1) * width > nowMs - windowMs);
  const last = kept.at(-1);
  const bad = isBad ? 1 : 0;
  return last?.[0] === now ? [...kept.slice(0, -1), [now, last[1] + 1, last[2] + bad]] : [...kept, [now, 1, bad]];
}

export function totalsOf(buckets: CountBuckets): { readonly all: number; readonly bad: number } {
  let all = 0;
  let bad = 0;
  for (const [, inBucket, badInBucket] of buckets) {
    all += inBucket;
    bad += badInBucket;
  }
  return { all, bad };
}
