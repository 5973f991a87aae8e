// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { diffTable, type RowDigest, type TableSide } from './table-diff.ts';

type Row = { readonly id: number; readonly a: string; readonly b: number };

const digestOf = (text: string): bigint => createHash('sha256').update(text).digest().readBigUInt64BE();

/** A table in memory that digests as a database would, reading its rows in the order given. */
class MemorySide implements TableSide {
  readonly #rows: readonly Row[];
  readonly #hasKey: boolean;

  constructor(rows: readonly Row[], hasKey: boolean) {
    this.#rows = rows;
    this.#hasKey = hasKey;
  }

  async bucketSums(bucketCount: number) {
    const sums = new Map<number, { rows: number; sum: bigint }>();
    for (const row of this.#rows) {
      const bucket = this.#bucket(row, bucketCount);
      const { rows, sum } = sums.get(bucket) ?? { rows: 0, sum: 0n };
      sums.set(bucket, { rows: rows + 1, sum: sum + digestOf(JSON.stringify(row)) });
    }
    return [...sums].map(([bucket, { rows, sum }]) => ({ bucket, rows, sum: sum.toString() }));
  }

  async columnSums() {
    return (['id', 'a', 'b'] as const).map((name) => ({
      name,
      sum: this.#rows.reduce((sum, row) => sum + digestOf(String(row[name])), 0n).toString(),
    }));
  }

  async rowsOf(buckets: readonly number[], { bucketCount }: { bucketCount: number }): Promise<readonly RowDigest[]> {
    return this.#rows
      .filter((row) => buckets.includes(this.#bucket(row, bucketCount)))
      .map((row) => ({
        key: this.#keyOf(row),
        columns: this.#hasKey ? [row.id, row.a, row.b].map((value) => digestOf(String(value)).toString()) : [],
      }));
  }

  #keyOf(row: Row): string {
    return this.#hasKey ? String(row.id) : digestOf(JSON.stringify(row)).toString(16);
  }

  #bucket(row: Row, bucketCount: number): number {
    return Number(digestOf(this.#hasKey ? `key ${row.id}` : JSON.stringify(row)) % BigInt(bucketCount));
  }
}

const rows = fc.uniqueArray(fc.record({ id: fc.nat(40), a: fc.string({ maxLength: 2 }), b: fc.nat(3) }), {
  selector: ({ id }) => id,
  maxLength: 40,
});
const OPTIONS = { columns: ['id', 'a', 'b'], keysMax: 1_000, withColumnSums: true, showKey: (key: string) => key };

describe('the difference of two tables', () => {
  it('is exactly what a comparison row by row finds, whatever the buckets and the order', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        rows,
        fc.constantFrom(1, 2, 8, 64),
        fc.integer({ min: 1, max: 50 }),
        async (left, right, bucketCount, rowsMax) => {
          const options = { ...OPTIONS, hasKey: true, bucketCount, rowsMax };
          const diff = await diffTable('t', [new MemorySide(left, true), new MemorySide(right, true)], options);
          const before = new Map(left.map((row) => [row.id, row]));
          const after = new Map(right.map((row) => [row.id, row]));
          const ids = (of: readonly Row[], is: (row: Row) => boolean): string[] =>
            of
              .filter(is)
              .map(({ id }) => String(id))
              .sort();
          const differs = ({ id, a, b }: Row): boolean =>
            before.has(id) && (before.get(id)?.a !== a || before.get(id)?.b !== b);
          expect(diff.added.keys).toEqual(ids(right, ({ id }) => !before.has(id)));
          expect(diff.removed.keys).toEqual(ids(left, ({ id }) => !after.has(id)));
          expect(diff.changed.keys).toEqual(ids(right, differs));
          expect(diff.rows).toEqual({ before: left.length, after: right.length, delta: right.length - left.length });
          expect(diff.equal).toBe(diff.added.count + diff.removed.count + diff.changed.count === 0);
          const shuffled = await diffTable(
            't',
            [new MemorySide(left.toReversed(), true), new MemorySide(right, true)],
            {
              ...options,
              bucketCount: 16,
            },
          );
          const { buckets: _, ...rest } = diff;
          expect(shuffled).toMatchObject(rest);
        },
      ),
    );
  });

  it('without a key is the difference of two multisets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...'abc')),
        fc.array(fc.constantFrom(...'abc')),
        async (left, right) => {
          const side = (letters: readonly string[]): MemorySide =>
            new MemorySide(
              letters.map((a) => ({ id: 1, a, b: 1 })),
              false,
            );
          const options = { ...OPTIONS, hasKey: false, bucketCount: 4, rowsMax: 10 };
          const diff = await diffTable('t', [side(left), side(right)], options);
          const count = (of: readonly string[], letter: string): number => of.filter((one) => one === letter).length;
          const more = (one: readonly string[], other: readonly string[]): number =>
            [...'abc'].reduce((sum, letter) => sum + Math.max(0, count(one, letter) - count(other, letter)), 0);
          expect([diff.added.count, diff.removed.count, diff.changed.count]).toEqual([
            more(right, left),
            more(left, right),
            0,
          ]);
        },
      ),
    );
  });

  it('names the columns in which changed rows differ', async () => {
    const before = [1, 2, 3].map((id) => ({ id, a: 'x', b: 1 }));
    const after = before.map((row) => ({ ...row, ...(row.id > 1 ? { b: 2 } : {}), ...(row.id > 2 ? { a: 'y' } : {}) }));
    const options = { ...OPTIONS, hasKey: true, bucketCount: 8, rowsMax: 100, keysMax: 1 };
    const diff = await diffTable('t', [new MemorySide(before, true), new MemorySide(after, true)], options);
    expect(diff.columns).toEqual([
      { name: 'a', rows: 1 },
      { name: 'b', rows: 2 },
    ]);
    expect(diff.changed).toEqual({ count: 2, keys: ['2'] });
    expect(diff.sums?.map(({ before: one, after: other }) => one === other)).toEqual([true, false, false]);
  });
});
