// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { readCopyData } from './copy-data.ts';

/** As in the manual: int64 big-endian, microseconds since 2000-01-01. */
const DATA = Buffer.from(`77${'0000001600000001'}${'0000001600000002'}${'0002a30000000000'}42ff`, 'hex');
const KEEPALIVE = Buffer.from(`6b${'00000016b374d848'}${'00000000000f4240'}01`, 'hex');

describe('copy data of a replication stream', () => {
  it('holds a message behind its header', () => {
    expect(readCopyData(DATA)).toEqual({ kind: 'message', from: DATA.indexOf('42ff', 0, 'hex') });
  });

  it('or is a sign of life, with the position and the clock of the server', () => {
    const serverTimeMs = Date.UTC(2000, 0, 1, 0, 0, 1);
    expect(readCopyData(KEEPALIVE)).toEqual({ kind: 'keepalive', lsn: 0x16b374d848n, serverTimeMs, wantsReply: true });
    KEEPALIVE[17] = 0;
    expect(readCopyData(KEEPALIVE)).toMatchObject({ wantsReply: false });
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a header without a message', DATA.subarray(0, 25)],
    ['a sign of life that is cut off', KEEPALIVE.subarray(0, 17)],
    ['another type', Buffer.from(`78${DATA.toString('hex').slice(2)}`, 'hex')],
  ])('ends the stream where it is %s', (_what, chunk) => {
    expect(() => readCopyData(chunk)).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_MALFORMED', retry: 'never' }),
    );
  });
});
