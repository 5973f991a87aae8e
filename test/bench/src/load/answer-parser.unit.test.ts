// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { AnswerParser } from './answer-parser.ts';

const ID = '01a208a0-c3a7-7001-8c14-f19a4b2081e2';
const SIZED = `HTTP/1.1 200 OK\r\nClyra-Event-Id: ${ID}\r\nContent-Length: 11\r\n\r\n{"ok":true}`;
const CHUNKED = 'HTTP/1.1 503 Busy\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';

describe('answer parser', () => {
  it.each([
    [SIZED, { status: 200, eventId: ID }],
    [CHUNKED, { status: 503, eventId: undefined }],
  ])('gives the answer with its last byte and not before, and goes on to the next', (text, answer) => {
    const parser = new AnswerParser();
    for (let round = 0; round < 2; round += 1) {
      const bytes = Buffer.from(text, 'latin1');
      for (const byte of bytes.subarray(0, -1)) expect(parser.push(Buffer.from([byte]))).toBeUndefined();
      expect(parser.push(bytes.subarray(-1))).toEqual(answer);
    }
  });

  it('throws for what is no HTTP', () => {
    expect(() => new AnswerParser().push(Buffer.from('hello\r\n\r\n'))).toThrow('something else than HTTP/1.1');
  });
});
