// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { readCsv } from './read-csv.ts';
import type { DbtNode } from './read-manifest.ts';
import { seedRows } from './seed-rows.ts';

describe('a seed', () => {
  it.each([
    [
      'a,b\n1,2\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      '\ufeffa,b\r\n"x,\r\ny","say ""so"""',
      [
        ['a', 'b'],
        ['x,\r\ny', 'say "so"'],
      ],
    ],
    [
      'a,b\n,\n"",x',
      [
        ['a', 'b'],
        ['', ''],
        ['', 'x'],
      ],
    ],
    ['a\n1', [['a'], ['1']]],
    ['', []],
  ])('%j has rows', (text, rows) => {
    expect(readCsv(text, ',')).toEqual(rows);
  });

  it.each(['a,b\n1', 'a,b\n1,2\n\n', 'a\n1\n\n2', 'a\n"1', 'a\n"1"x', 'a\n1"', 'a,b\n1,2,3'])(
    '%j is refused',
    (text) => {
      expect(() => readCsv(text, ',')).toThrow(expect.objectContaining({ code: 'CLY_DBT_SEED' }));
    },
  );

  const columns = [
    { name: 'a', type: 'integer' },
    { name: 'b', type: 'text' },
  ];
  const nodeOf = (text: string): DbtNode => ({ delimiter: ',', checksum: digestOf(text.trim()) }) as DbtNode;
  const rowsOf = (text: string): unknown => seedRows(nodeOf(text), Buffer.from(text), columns);

  it('has NULL for nothing and for the word, as dbt has', () => {
    expect(rowsOf('a,b\n1,x y\n, NULL \nnull,""\n')).toEqual([
      ['1', 'x y'],
      [null, null],
      [null, null],
    ]);
  });

  it.each(['a,b\n"1,000",x\n', 'a,b\n$5,x\n', 'a\n1\n'])('%j is not what PostgreSQL would read', (text) => {
    expect(() => rowsOf(text)).toThrow(expect.objectContaining({ code: 'CLY_DBT_SEED' }));
  });

  it('is refused where its file is not the one of the run', () => {
    expect(() => seedRows(nodeOf('a,b\n1,2\n'), Buffer.from('a,b\n1,3\n'), columns)).toThrow(/another checksum/);
    expect(() => seedRows(nodeOf(''), Buffer.from([0xff]), columns)).toThrow(/UTF-8/);
  });
});
