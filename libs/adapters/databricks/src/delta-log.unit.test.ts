// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { logFileName, readLogFile } from './delta-log.ts';

const file = (...actions: readonly unknown[]): Uint8Array =>
  Buffer.from(actions.map((action) => JSON.stringify(action)).join('\n'));

describe('a file of a _delta_log', () => {
  it('is named by twenty digits', () => {
    expect(logFileName(12)).toBe('00000000000000000012.json');
  });

  it('changes data unless each of its files says that it does not', () => {
    const still = { add: { path: 'a', dataChange: false } };
    expect(readLogFile(file({ commitInfo: {} }, still)).changesData).toBe(false);
    expect(readLogFile(file({ commitInfo: {} }, still, { remove: { path: 'b', dataChange: true } })).changesData).toBe(
      true,
    );
    expect(readLogFile(file({ add: { path: 'a' } })).changesData).toBe(true);
    expect(readLogFile(file({ metaData: { id: 'x' } })).changesData).toBe(false);
  });

  it('is read with values of any type, and refused where a line is no action', () => {
    const info = { operationParameters: { mode: 'Append', partitionBy: [] }, operationMetrics: { numFiles: 1 } };
    expect(readLogFile(file({ commitInfo: info }))).toMatchObject({
      parameters: { mode: 'Append', partitionBy: '[]' },
      metrics: { numFiles: '1' },
      userMetadata: '',
    });
    for (const wrong of ['', '\n', '{', '[]', 'null', '{"add":{}}\nnope']) {
      expect(() => readLogFile(Buffer.from(wrong))).toThrow(expect.objectContaining({ code: 'CLY_SOURCE_DELTA_LOG' }));
    }
  });
});
