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

  it('takes a backslash for a backslash, and an escaped lone surrogate for none', () => {
    for (const text of ['\\ud800', 'C:\\udc00\\x', '\\\\ud800']) {
      expect(parseRecord(encodeRecord({ a: text }))).toEqual({ a: text });
    }
    expect(() => encodeRecord({ a: '\\\ud800' })).toThrow(/string/);
    expect(() => parseRecord(Buffer.from('{"a":"\\\\\\ud800"}'))).toThrow(/string/);
  });

  it('may be larger where a reader says so', () => {
    const large = Buffer.from(`{"a":[${'1,'.repeat(99_999)}1]}`);
    expect(parseRecord(large, large.length)['a']).toHaveLength(100_000);
    expect(() => parseRecord(large, large.length - 1)).toThrow(/larger/);
    expect(() => parseRecord(Buffer.from(`${large.toString()} `), 1_000_000)).toThrow(/canonical/);
  });

  it.each([0, 15, 16, 17, 70])('writes a text as RFC 8785 does, whatever letter stands behind %d others', (count) => {
    for (let unit = 0; unit < 0x180; unit += 1) {
      const text = `${'x'.repeat(count)}${String.fromCharCode(unit)}y`;
      const bytes = encodeRecord({ a: text, b: [text] });
      expect(Buffer.from(bytes).toString()).toBe(JSON.stringify({ a: text, b: [text] }));
      expect(parseRecord(bytes)).toEqual({ a: text, b: [text] });
    }
  });

  it.each([
    ['{"b":1,"a":1}', /canonical/],
    ['{"a":{"c":1,"b":1}}', /canonical/],
    ['{"a":[{"b":1,"b":1}]}', /twice/],
    ['{"a":[{"B":1}]}', /name/],
    ['{"a":[1.5]}', /integer/],
    ['{"a":[-0]}', /integer|canonical/],
    [`{"a":${'['.repeat(40)}${']'.repeat(40)}}`, /nesting|deep/],
  ])('is not read from %s', (text, why) => {
    expect(() => parseRecord(Buffer.from(text))).toThrow(why);
  });

  it('leaves undefined members out', () => {
    expect(Buffer.from(encodeRecord({ b: undefined, a: 1 })).toString()).toBe('{"a":1}');
  });
});
