// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { accessRow, queryRow } from './history-rows.ts';

const QUERY = {
  ...{ QUERY_ID: 'q', QUERY_TYPE: 'insert', EXECUTION_STATUS: 'success', START_MS: 1, END_MS: 2, TEXT_SIZE: 3 },
  ...{ TEXT_DIGEST: 'A'.repeat(64), ROWS_INSERTED: null, SOMETHING_NEW: {} },
};

describe('a row of the history', () => {
  it('may lack what is not needed, and have columns that nobody knows', () => {
    const row = queryRow(QUERY);
    expect(row).toMatchObject({ type: 'INSERT', status: 'SUCCESS', inserted: null, updated: null, tag: '', user: '' });
    expect(row.textDigest).toBe('a'.repeat(64));
  });

  it.each([
    ['QUERY_ID', ''],
    ['QUERY_TYPE', null],
    ['END_MS', null],
    ['END_MS', 1.5],
    ['END_MS', '2'],
    ['ROWS_INSERTED', -1],
    ['ROWS_INSERTED', 2 ** 60],
    ['TEXT_DIGEST', 'short'],
    ['QUERY_TAG', 7],
  ])('is refused where %s is %p', (column, value) => {
    expect(() => queryRow({ ...QUERY, [column]: value })).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_HISTORY_SHAPE', context: { column } }),
    );
  });

  it('names the changed tables and not the stages, and is refused where it is no list of objects', () => {
    const row = { QUERY_ID: 'q', START_MS: 1 };
    const modified = [
      { objectName: 'A.B.C', objectDomain: 'Table', columns: [] },
      { objectName: 'A.B.S', objectDomain: 'Stage' },
    ];
    const ddl = JSON.stringify({ objectName: 'A.B.D', objectDomain: 'Table', properties: {} });
    expect(accessRow({ ...row, MODIFIED: JSON.stringify(modified), DDL: ddl })).toMatchObject({
      modified: ['A.B.C'],
      ddlObject: 'A.B.D',
    });
    expect(accessRow(row)).toMatchObject({ modified: [], ddlObject: null });
    for (const wrong of ['{', '[null]', '[{"objectName":1}]', '[[]]']) {
      expect(() => accessRow({ ...row, MODIFIED: wrong })).toThrow(
        expect.objectContaining({ code: 'CLY_SOURCE_HISTORY_SHAPE' }),
      );
    }
  });
});
