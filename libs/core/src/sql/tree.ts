// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';

/** A parse tree as its parser gives it, as plain data. */
export type Tree = JsonValue | undefined;

export const TREE_NODES_MAX = 100_000;
export const TREE_DEPTH_MAX = 400;

/** The text is larger or deeper than anybody's usual statement; nothing is said about it. */
export class TreeTooLarge extends Error {}

/** An object of exactly one member is a variant of an enum: its name and content. Some variants are plain texts. */
export function variantOf(tree: Tree): readonly [name: string, content: JsonObject] {
  if (typeof tree === 'string') return [tree, {}];
  if (!isJsonObject(tree)) return ['', {}];
  const [name, second] = Object.keys(tree);
  if (name === undefined || second !== undefined) return ['', {}];
  return [name, objectOf(tree[name])];
}

export function objectOf(tree: Tree): JsonObject {
  return isJsonObject(tree) ? tree : {};
}

export function listOf(tree: Tree): readonly JsonValue[] {
  return Array.isArray(tree) ? (tree as readonly JsonValue[]) : [];
}

export function textIn(tree: Tree): string {
  return typeof tree === 'string' ? tree : '';
}

/** An object in a tree, with the name of the member that holds it. */
export type TreeNode = { readonly name: string; readonly content: JsonObject };

/**
 * Every object in the tree that stands under one of the names, parents first. One walk serves all that is asked of a
 * tree, since walking costs more than parsing does. Throws TreeTooLarge: recursion in the readers is bounded by this walk.
 */
export function nodesIn(tree: Tree, names: ReadonlySet<string>): TreeNode[] {
  const walk = new TreeWalk(names);
  walk.visit(tree, 0);
  return walk.found;
}

class TreeWalk {
  readonly found: TreeNode[] = [];
  readonly #names: ReadonlySet<string>;
  #nodeCount = 0;

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  visit(node: Tree, depth: number): void {
    this.#count(1, depth);
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      const items = node as readonly JsonValue[];
      for (let index = 0; index < items.length; index += 1) this.visit(items[index], depth + 1);
    } else {
      this.#members(node as JsonObject, depth + 1);
    }
  }

  #members(object: JsonObject, depth: number): void {
    for (const name of Object.keys(object)) {
      const content = object[name];
      if (typeof content !== 'object' || content === null) {
        this.#count(1, depth);
        continue;
      }
      if (name === 'span' && isSpan(content)) {
        this.#count(SPAN_NODES, depth + SPAN_DEPTH);
        continue;
      }
      if (this.#names.has(name) && isJsonObject(content)) this.found.push({ name, content });
      this.visit(content, depth);
    }
  }

  #count(nodes: number, depth: number): void {
    this.#nodeCount += nodes;
    if (this.#nodeCount > TREE_NODES_MAX || depth > TREE_DEPTH_MAX) throw new TreeTooLarge();
  }
}

/** `{start: {line, column}, end: {line, column}}`: two thirds of what sqlparser-rs gives is where the text stands. */
const SPAN_NODES = 7;
const SPAN_DEPTH = 2;

function isSpan(content: JsonValue): boolean {
  return typeof objectOf(objectOf(content)['start'])['line'] === 'number';
}
