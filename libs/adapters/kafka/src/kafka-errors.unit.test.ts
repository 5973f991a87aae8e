// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { protocolErrorName, refusalRetry } from './kafka-errors.ts';

function protocolError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

describe('what a broker error proves', () => {
  it.each([
    ['MESSAGE_TOO_LARGE', 'never'],
    ['TOPIC_AUTHORIZATION_FAILED', 'never'],
    ['NOT_ENOUGH_REPLICAS', 'backoff'],
  ])('%s: nothing was stored, retry %s', (type, retry) => {
    expect(refusalRetry(protocolError(type))).toBe(retry);
    expect(refusalRetry(new Error('retries exceeded', { cause: protocolError(type) }))).toBe(retry);
  });

  it.each(['NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'NOT_LEADER_FOR_PARTITION', 'REQUEST_TIMED_OUT', 'UNKNOWN'])(
    '%s: the records may be stored',
    (type) => {
      expect(refusalRetry(protocolError(type))).toBeUndefined();
    },
  );

  it('a network error proves nothing', () => {
    expect(refusalRetry(Object.assign(new Error('cut'), { code: 'ECONNRESET' }))).toBeUndefined();
  });

  it('finds the name in an aggregate, and ends on a cycle of causes', () => {
    const aggregate = Object.assign(new Error('several'), { errors: [protocolError('INVALID_CONFIG')] });
    const cycle = new Error('cycle');
    cycle.cause = cycle;
    expect(protocolErrorName(aggregate)).toBe('INVALID_CONFIG');
    expect(protocolErrorName(cycle)).toBeUndefined();
  });
});
