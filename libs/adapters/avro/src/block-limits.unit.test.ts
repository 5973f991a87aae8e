// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import { layoutCheck } from './block-limits.ts';

const TREE = avsc.Type.forSchema({
  type: 'record',
  name: 'Tree',
  fields: [
    { name: 'label', type: ['null', 'string'], default: null },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'digest', type: { type: 'fixed', name: 'Digest', size: 2 } },
    { name: 'sizes', type: { type: 'map', values: 'double' } },
    { name: 'empties', type: { type: 'array', items: 'null' } },
    { name: 'branches', type: { type: 'array', items: 'Tree' } },
  ],
});
const leaf = {
  label: 'x',
  kind: 'B',
  digest: Buffer.from([1, 2]),
  sizes: { a: 1.5, b: -2 },
  empties: [null, null, null],
  branches: [],
};
const checkTree = layoutCheck(TREE);

describe('layoutCheck', () => {
  it('is not needed where a schema has no arrays and maps', () => {
    const flat = avsc.Type.forSchema({ type: 'record', name: 'Flat', fields: [{ name: 'body', type: 'bytes' }] });
    expect(layoutCheck(flat)).toBeUndefined();
  });

  it('lets everything through that the library wrote', () => {
    const bytes = TREE.toBuffer({ ...leaf, label: null, branches: [leaf, { ...leaf, branches: [leaf] }] });
    expect(() => checkTree?.(bytes)).not.toThrow();
  });

  it('follows blocks that announce their size', () => {
    const check = layoutCheck(avsc.Type.forSchema({ type: 'array', items: 'int' }));
    // Count -2, size 2, items 1 and 2, end (Avro specification, "Arrays").
    expect(() => check?.(Buffer.from([3, 4, 2, 4, 0]))).not.toThrow();
  });

  it.each([
    [
      'two thousand million empty items in six bytes',
      avsc.Type.forSchema({ type: 'array', items: 'null' }),
      [254, 255, 255, 255, 15, 0],
    ],
    [
      'a negative count of that size',
      avsc.Type.forSchema({ type: 'array', items: 'null' }),
      [255, 255, 255, 255, 15, 0, 0],
    ],
    ['a string longer than the record', avsc.Type.forSchema({ type: 'map', values: 'int' }), [2, 100, 97]],
    ['a negative length', avsc.Type.forSchema({ type: 'array', items: 'bytes' }), [2, 1, 0]],
    ['a branch that is not there', avsc.Type.forSchema({ type: 'array', items: ['null', 'int'] }), [2, 8, 0]],
    ['a number without end', avsc.Type.forSchema({ type: 'array', items: 'long' }), Array(12).fill(255)],
  ])('refuses %s at once', (_what, type, bytes) => {
    const begin = performance.now();
    expect(() => layoutCheck(type)?.(Buffer.from(bytes))).toThrow('a ');
    expect(performance.now() - begin).toBeLessThan(200);
  });
});
