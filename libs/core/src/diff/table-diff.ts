// SPDX-License-Identifier: Apache-2.0
/** Rows whose key falls into one bucket: how many, and the order-free sum of their digests (decimal text). */
export type BucketSum = { readonly bucket: number; readonly rows: number; readonly sum: string };

/** One row of a bucket: its key as the side writes it, and one digest for each compared column, in their order. */
export type RowDigest = { readonly key: string; readonly columns: readonly string[] };

export type ColumnSum = { readonly name: string; readonly sum: string };

/** A table somewhere, as the diff asks about it. Both sides of a diff must digest alike. */
export interface TableSide {
  /** One pass over the table. Buckets without rows may be left out. */
  bucketSums(bucketCount: number): Promise<readonly BucketSum[]>;
  /** The order-free sum of each compared column over the whole table. */
  columnSums(): Promise<readonly ColumnSum[]>;
  /** All rows of these buckets. Rejects where they are more than `rowsMax`. */
  rowsOf(
    buckets: readonly number[],
    request: { readonly bucketCount: number; readonly rowsMax: number },
  ): Promise<readonly RowDigest[]>;
}

export type TableDiffOptions = {
  /** The compared columns, as the side's digests stand. */
  readonly columns: readonly string[];
  /** false for a table without a key: then rows are compared as a multiset, and none is called changed. */
  readonly hasKey: boolean;
  readonly bucketCount: number;
  /** Differing rows are fetched for so many rows of differing buckets at once. */
  readonly rowsMax: number;
  /** So many keys are listed of each kind; the counts are of all. */
  readonly keysMax: number;
  readonly withColumnSums: boolean;
  /** What of a key may be shown: the key itself, or a digest of it. */
  readonly showKey: (key: string) => string;
};

export type KeyList = { readonly count: number; readonly keys: readonly string[] };

export type TableDiff = {
  readonly relation: string;
  readonly equal: boolean;
  readonly rows: { readonly before: number; readonly after: number; readonly delta: number };
  readonly added: KeyList;
  readonly removed: KeyList;
  readonly changed: KeyList;
  /** Of the changed rows, how many differ in each column; columns that no row differs in are left out. */
  readonly columns: readonly { readonly name: string; readonly rows: number }[];
  /** Order-free sums of both sides, where they were asked for. */
  readonly sums: readonly { readonly name: string; readonly before: string; readonly after: string }[] | null;
  readonly buckets: { readonly compared: number; readonly differing: number };
};

/**
 * Compares two tables: one pass over each gives a sum for every bucket of keys, and only the rows of buckets that
 * differ are fetched. The answer does not depend on the order in which a side reads, nor on the number of buckets.
 */
export async function diffTable(
  relation: string,
  sides: readonly [TableSide, TableSide],
  options: TableDiffOptions,
): Promise<TableDiff> {
  const { bucketCount, columns, withColumnSums } = options;
  const [before, after] = await Promise.all(sides.map((side) => side.bucketSums(bucketCount)));
  const sums = withColumnSums ? await Promise.all(sides.map((side) => side.columnSums())) : undefined;
  const differing = differingBuckets(before ?? [], after ?? []);
  const tally = new KeyTally(options);
  for (const chunk of chunksOf(differing, options.rowsMax)) {
    const request = { bucketCount, rowsMax: options.rowsMax };
    const [left, right] = await Promise.all(sides.map((side) => side.rowsOf(chunk.buckets, request)));
    tally.compare(left ?? [], right ?? []);
  }
  const rows = { before: totalOf(before ?? []), after: totalOf(after ?? []) };
  return {
    relation,
    equal: differing.length === 0,
    rows: { ...rows, delta: rows.after - rows.before },
    ...tally.lists(),
    columns: tally.columns(columns),
    sums: sums === undefined ? null : pairedSums(sums[0] ?? [], sums[1] ?? []),
    buckets: { compared: bucketCount, differing: differing.length },
  };
}

type Differing = { readonly bucket: number; readonly rows: number };

function differingBuckets(before: readonly BucketSum[], after: readonly BucketSum[]): readonly Differing[] {
  const left = new Map(before.map((one) => [one.bucket, one]));
  const right = new Map(after.map((one) => [one.bucket, one]));
  return [...new Set([...left.keys(), ...right.keys()])]
    .sort((one, other) => one - other)
    .flatMap((bucket) => {
      const [old, now] = [left.get(bucket), right.get(bucket)];
      const isEqual = old?.rows === now?.rows && old?.sum === now?.sum;
      return isEqual ? [] : [{ bucket, rows: Math.max(old?.rows ?? 0, now?.rows ?? 0) }];
    });
}

function* chunksOf(
  differing: readonly Differing[],
  rowsMax: number,
): Generator<{ readonly buckets: readonly number[] }> {
  let buckets: number[] = [];
  let rows = 0;
  for (const one of differing) {
    if (buckets.length > 0 && rows + one.rows > rowsMax) {
      yield { buckets };
      [buckets, rows] = [[], 0];
    }
    buckets.push(one.bucket);
    rows += one.rows;
  }
  if (buckets.length > 0) yield { buckets };
}

function totalOf(sums: readonly BucketSum[]): number {
  return sums.reduce((total, { rows }) => total + rows, 0);
}

function pairedSums(before: readonly ColumnSum[], after: readonly ColumnSum[]): NonNullable<TableDiff['sums']> {
  const right = new Map(after.map(({ name, sum }) => [name, sum]));
  return before.map(({ name, sum }) => ({ name, before: sum, after: right.get(name) ?? '' }));
}

const KEYS_SLACK = 4_096;

class KeyTally {
  readonly #options: TableDiffOptions;
  readonly #lists = { added: newList(), removed: newList(), changed: newList() };
  readonly #byColumn: number[];

  constructor(options: TableDiffOptions) {
    this.#options = options;
    this.#byColumn = options.columns.map(() => 0);
  }

  /** All rows of the same buckets on both sides: a key stands in the same bucket wherever it is. */
  compare(before: readonly RowDigest[], after: readonly RowDigest[]): void {
    const left = grouped(before);
    const right = grouped(after);
    for (const [key, rows] of left) this.#pair(key, rows, right.get(key) ?? []);
    for (const [key, rows] of right) if (!left.has(key)) this.#pair(key, [], rows);
  }

  #pair(key: string, before: readonly RowDigest[], after: readonly RowDigest[]): void {
    const [old] = before;
    const [now] = after;
    if (this.#options.hasKey && before.length === 1 && after.length === 1 && old !== undefined && now !== undefined) {
      const differs = old.columns.map((digest, index) => digest !== now.columns[index]);
      if (!differs.includes(true)) return;
      this.#count('changed', key, 1);
      for (const [index, isDifferent] of differs.entries())
        if (isDifferent) this.#byColumn[index] = (this.#byColumn[index] ?? 0) + 1;
      return;
    }
    // Without a key the key is the whole row, so that only how often it stands on each side can differ.
    if (after.length > before.length) this.#count('added', key, after.length - before.length);
    if (before.length > after.length) this.#count('removed', key, before.length - after.length);
  }

  #count(what: 'added' | 'removed' | 'changed', key: string, count: number): void {
    const { showKey, keysMax } = this.#options;
    const list = this.#lists[what];
    list.count += count;
    list.keys.push(showKey(key));
    // Only the first in order are shown: the others need not be held until the end.
    if (list.keys.length > KEYS_SLACK + keysMax) list.keys = list.keys.sort().slice(0, keysMax);
  }

  lists(): { readonly added: KeyList; readonly removed: KeyList; readonly changed: KeyList } {
    const { keysMax } = this.#options;
    const shown = ({ count, keys }: { count: number; keys: string[] }): KeyList => ({
      count,
      keys: keys.sort().slice(0, keysMax),
    });
    const { added, removed, changed } = this.#lists;
    return { added: shown(added), removed: shown(removed), changed: shown(changed) };
  }

  columns(names: readonly string[]): TableDiff['columns'] {
    return names.flatMap((name, index) => {
      const rows = this.#byColumn[index] ?? 0;
      return rows === 0 ? [] : [{ name, rows }];
    });
  }
}

function newList(): { count: number; keys: string[] } {
  return { count: 0, keys: [] };
}

function grouped(rows: readonly RowDigest[]): Map<string, RowDigest[]> {
  const groups = new Map<string, RowDigest[]>();
  for (const row of rows) {
    const group = groups.get(row.key);
    if (group === undefined) groups.set(row.key, [row]);
    else group.push(row);
  }
  return groups;
}
