// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { code, facts, table, text, time } from './html.ts';

describe('what a page shows of a bundle', () => {
  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['" onload="x', '&quot; onload=&quot;x'],
    ['a\u202Eb', 'a\\u202eb'],
    ['zero\u200Bwidth', 'zero\\u200bwidth'],
    ['line\nbreak', 'line\\u000abreak'],
  ])('shows %j as text', (value, shown) => {
    expect(text(value)).toBe(shown);
    expect(table('', [value], [[value]])).toContain(`<td>${shown}</td>`);
    expect(facts([[value, code(value)]])).toContain(`<dt>${shown}</dt>`);
  });

  it('shows times that are times, and no others', () => {
    expect(time(0)).toEqual({ html: expect.stringContaining('1970-01-01 00:00:00.000') });
    expect([time(-1), time('x'), time(9e15), time(null)]).toEqual(['–', '–', '–', '–']);
  });
});
