// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isHidden, visibleHtml } from './shown-text.ts';

describe('text from outside on a page', () => {
  it.each([
    ['<b>&"\'', '&lt;b&gt;&amp;&quot;&#39;'],
    ['a\u202eb', 'a\\u202eb'],
    ['line\nbreak\t', 'line\\u000abreak\\u0009'],
    ['soft\u00adhyphen', 'soft\\u00adhyphen'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['half \ud800', 'half \\ud800'],
    ['Zoë 漢字 🙂', 'Zoë 漢字 🙂'],
  ])('%j is shown as %s', (text, shown) => {
    expect(visibleHtml(text)).toBe(shown);
  });

  it('holds no markup and nothing hidden, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const shown = visibleHtml(text);
        expect(shown).not.toMatch(/[<>"'\n]/);
        expect([...shown].some((character) => isHidden(character.codePointAt(0) ?? 0))).toBe(false);
      }),
    );
  });
});
