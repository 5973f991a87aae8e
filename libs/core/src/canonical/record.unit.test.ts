// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { encodeRecord, parseRecord, RECORD_BYTES_MAX } from './record.ts';

const ofSize = (size: number): Uint8Array => Buffer.from(`{"a":"${'x'.repeat(size - 8)}"}`);

describe('a record', () => {
  it('may be 65,535 bytes, and not one more', () => {
    expect(encodeRecord(parseRecord(ofSize(RECORD_BYTES_MAX))).length).toBe(RECORD_BYTES_MAX);
    expect(() => parseRecord(ofSize(RECORD_BYTES_MAX + 1))).toThrow(/larger than 65535/);
    expect(() => encodeRecord({ a: 'x'.repeat(RECORD_BYTES_MAX - 7) })).toThrow(/larger than 65535/);
  });

  it.each([[{ a: 1.5 }], [{ a: -0 }], [{ a: 2 ** 53 }], [{ A: 1 }], [{ a: '\ud800' }], [{ a: '\ufffe' }]])(
    'is never made from %j',
    (value) => {
      expect(() => encodeRecord(value)).toThrow(/CLY_JSON|record|member|string/);
    },
  );

  it('leaves undefined members out', () => {
    expect(Buffer.from(encodeRecord({ b: undefined, a: 1 })).toString()).toBe('{"a":1}');
  });
});
