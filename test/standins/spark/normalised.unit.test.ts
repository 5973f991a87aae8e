// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { normalisedAnswer, normalisedLog } from './normalised.ts';

const FOLDER = '/tmp/one';
const ID = '3b2f6b7e-7a3b-4c4f-9f0e-0c7c4b1f2a11';
const NO_ID = '00000000-0000-4000-8000-000000000000';
const lines = (...actions: readonly object[]): string => `${actions.map((one) => JSON.stringify(one)).join('\n')}\n`;

describe('two recordings of the same deeds', () => {
  it('differ in nothing that is drawn, measured or of one machine', () => {
    const answer = (at: string, size: string) => ({
      statement: 's',
      columns: [
        { name: 'timestamp', type: 'TIMESTAMP' },
        ...['text', 'sizeInBytes'].map((name) => ({ name, type: 'X' })),
      ],
      rows: [
        [
          at,
          `{"path":"${FOLDER}/a","predicate":"(id#${size}L = 1)","scanTimeMs":"${size}","numFiles":"2"}`,
          Number(size),
        ],
      ],
      sqlState: null,
    });
    const one = normalisedAnswer(answer('2026-11-29 08:01:02.12', '17'), FOLDER);
    expect(normalisedAnswer(answer('2026-11-30 09:00:00', '4'), FOLDER)).toEqual(one);
    expect(one.rows[0]).toEqual([
      '2026-01-01 00:00:00.5',
      '{"path":"/spark/a","predicate":"(id#0L = 1)","scanTimeMs":"0","numFiles":"2"}',
      0,
    ]);
  });

  it('say of a version what it did, in one order', () => {
    const info = {
      commitInfo: { timestamp: 5, operation: 'WRITE', operationMetrics: { numOutputBytes: '9', numFiles: '2' } },
    };
    const file = (kind: string, path: string, rows: number) => ({
      [kind]: { path: `${path}-${ID}.parquet`, size: rows, dataChange: true, stats: `{"numRecords":${rows}}` },
    });
    const one = normalisedLog(lines(info, file('add', 'b', 2), file('remove', 'a', 1), file('add', 'a', 1)), FOLDER);
    const other = normalisedLog(lines(info, file('remove', 'a', 1), file('add', 'a', 1), file('add', 'b', 2)), FOLDER);
    expect(one).toEqual(other);
    expect(one[0]).toMatchObject({ commitInfo: { operationMetrics: { numOutputBytes: '0', numFiles: '2' } } });
    expect(one[1]).toEqual({
      add: { path: `a-${NO_ID}.parquet`, size: 0, dataChange: true, stats: '{"numRecords":1}' },
    });
    expect(normalisedLog(lines(info, file('add', 'b', 3)), FOLDER)).not.toEqual(
      normalisedLog(lines(info, file('add', 'b', 2)), FOLDER),
    );
  });
});
