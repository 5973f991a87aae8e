// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { JsonValue } from '../canonical/json-value.ts';
import { nodesIn, TREE_DEPTH_MAX, TREE_NODES_MAX, TreeTooLarge } from './tree.ts';

const SPAN = { start: { line: 1, column: 1 }, end: { line: 1, column: 9 } };
const NOTHING: ReadonlySet<string> = new Set();

/** An object in so many lists: its members are that deep. */
function inLists(object: JsonValue, depth: number): JsonValue {
  let tree = object;
  for (let count = 1; count < depth; count += 1) tree = [tree];
  return tree;
}

describe('the walk through a tree', () => {
  it('finds what was asked for, parents first', () => {
    const tree = [{ Update: { from: [{ Table: { name: 'a' } }], with: { Update: { into: null } } } }, { Update: 'x' }];
    const found = nodesIn(tree, new Set(['Update', 'Table', 'into']));
    expect(found.map(({ name, content }) => [name, Object.keys(content)])).toEqual([
      ['Update', ['from', 'with']],
      ['Table', ['name']],
      ['Update', ['into']],
    ]);
  });

  it('counts every value, and those that say where the text stands', () => {
    // The list, and eight nodes of each object with a span.
    const spans = Array.from({ length: 12_499 }, () => ({ span: SPAN }));
    const room = TREE_NODES_MAX - 1 - 8 * spans.length;
    const numbers = Array.from({ length: room }, () => 1);
    expect(nodesIn([...spans, ...numbers], NOTHING)).toEqual([]);
    expect(() => nodesIn([...spans, ...numbers, 1], NOTHING)).toThrow(TreeTooLarge);
  });

  it('counts as one value what has the name of a place in the text and is none', () => {
    const others = Array.from({ length: TREE_NODES_MAX / 2 - 1 }, () => ({ span: 1 }));
    expect(nodesIn(others, NOTHING)).toEqual([]);
    expect(() => nodesIn([...others, { span: 1 }], NOTHING)).toThrow(TreeTooLarge);
  });

  it.each([
    ['a value', { a: 1 }, 0],
    ['a place in the text', { span: SPAN }, 2],
  ])('ends where %s lies too deep', (_, object, below) => {
    expect(nodesIn(inLists(object, TREE_DEPTH_MAX - below), NOTHING)).toEqual([]);
    expect(() => nodesIn(inLists(object, TREE_DEPTH_MAX - below + 1), NOTHING)).toThrow(TreeTooLarge);
  });
});
