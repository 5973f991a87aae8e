// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JsonError } from '../../canonical/json-error.ts';
import { BODY_LIMITS, parseJson } from '../../canonical/parse-json.ts';
import { ListSplitter } from './list-splitter.ts';

const LIMITS = { itemBytesMax: 100_000, aroundBytesMax: 100_000, itemsMax: 1_000 };

type Read = { readonly items: unknown[]; readonly around: unknown; readonly wasFound: boolean };

/** What the splitter and the strict reader make of a text that comes in these pieces; undefined where they refuse it. */
function readStreamed(text: Uint8Array, path: readonly string[], sizes: readonly number[]): Read | undefined {
  const splitter = new ListSplitter(path, LIMITS);
  const items: unknown[] = [];
  const onItem = (bytes: Uint8Array): void => void items.push(parseJson(bytes, BODY_LIMITS));
  try {
    for (let at = 0, index = 0; at < text.length; index += 1) {
      const size = sizes[index % sizes.length] ?? 1;
      splitter.push(text.subarray(at, at + size), onItem);
      at += size;
    }
    const around = parseJson(splitter.end(onItem), BODY_LIMITS);
    return { items, around, wasFound: splitter.wasFound };
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

function readWhole(text: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: parseJson(text, BODY_LIMITS) };
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const name = fc.constantFrom('records', 'a', 'rec\\u006frds', 'data', 'x"y', 'é');
const value = fc.jsonValue({ maxDepth: 3 });
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const space = fc.constantFrom('', ' ', '\n\t', '\r\n');

/** A text with a list under `data/records` or at the root, spelled in several ways. */
const document = fc
  .record({
    items: fc.array(value, { maxLength: 8 }),
    others: fc.array(fc.tuple(name, value), { maxLength: 3 }),
    space,
    after: fc.boolean(),
  })
  .map(({ items, others, space: gap, after }) => {
    const list = `[${gap}${items.map((item) => JSON.stringify(item)).join(`${gap},${gap}`)}${gap}]`;
    const members = others.map(([key, inner]) => `"${key.replaceAll('"', '\\"')}":${JSON.stringify(inner)}`);
    const all = after ? [`"list"${gap}:${gap}${list}`, ...members] : [...members, `"li\\u0073t":${list}`];
    return `${gap}{"outer":{${all.join(`,${gap}`)}}}${gap}`;
  });

describe('a body that streams in', () => {
  it('gives what the strict reader gives, wherever its chunks end', () => {
    fc.assert(
      fc.property(document, sizes, (text, pieces) => {
        const bytes = Buffer.from(text);
        const whole = readWhole(bytes);
        const streamed = readStreamed(bytes, ['outer', 'list'], pieces);
        if (whole === undefined) return void expect(streamed).toBeUndefined();
        const outer = (plain(whole.value) as { outer: Record<string, unknown> }).outer;
        expect(streamed?.wasFound).toBe(true);
        expect(plain(streamed?.items)).toEqual(outer['list']);
        expect(plain(streamed?.around)).toEqual({ outer: { ...outer, list: [] } });
      }),
    );
  });

  it('accepts nothing that the strict reader refuses, whatever bytes are changed', () => {
    const edit = fc.record({ at: fc.nat(), byte: fc.constantFrom(...Buffer.from('{}[],:"\\ n0-e\u0000'), 0xff, 0xc3) });
    fc.assert(
      fc.property(document, fc.array(edit, { minLength: 1, maxLength: 3 }), sizes, (text, edits, pieces) => {
        const bytes = Buffer.from(text);
        for (const { at, byte } of edits) bytes[at % bytes.length] = byte;
        expect(readStreamed(bytes, ['outer', 'list'], pieces) !== undefined).toBe(readWhole(bytes) !== undefined);
      }),
      { numRuns: 600 },
    );
  });

  it('reads a list at the root like any other', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), sizes, (items, pieces) => {
        const text = Buffer.from(JSON.stringify(items));
        const streamed = readStreamed(text, [], pieces);
        // Numbers beyond what every reader has in common are nobody's.
        if (readWhole(text) === undefined) return void expect(streamed).toBeUndefined();
        expect(plain(streamed?.items)).toEqual(plain(items));
        expect(plain(streamed?.around)).toEqual([]);
      }),
    );
  });
});
