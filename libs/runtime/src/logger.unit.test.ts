// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { createLogger, type LogFormat } from './logger.ts';

function loggerInto(lines: string[], format: LogFormat) {
  const clock = { nowMs: () => 1_700_000_000_123, after: () => () => {} };
  return createLogger({ service: 'intake', format, clock, sink: { write: (text: string) => lines.push(text) } });
}

describe('createLogger', () => {
  it('writes one JSON object a line; a field never replaces the line’s own', () => {
    const lines: string[] = [];
    loggerInto(lines, 'json').warn('two\nlines', { level: 'none', count: 2, gone: undefined, nothing: null });
    expect(lines).toEqual([
      '{"at":"2023-11-14T22:13:20.123Z","level":"warn","service":"intake","message":"two\\nlines","level_":"none","count":2,"nothing":null}\n',
    ]);
  });

  it('writes for a person on one line, whatever the message holds', () => {
    const lines: string[] = [];
    const logger = loggerInto(lines, 'pretty');
    logger.info('listening', { url: 'http://127.0.0.1:1', reason: 'two words', gone: undefined });
    logger.error('a\u001b[31m\nb');
    expect(lines).toEqual([
      '22:13:20.123 INFO  intake   listening  url=http://127.0.0.1:1  reason="two words"\n',
      '22:13:20.123 ERROR intake   "a\\u001b[31m\\nb"\n',
    ]);
  });
});
