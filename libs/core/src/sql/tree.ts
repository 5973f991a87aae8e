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

/**
 * Visits every object below with the member name it stands under, parents first; the visitor says whether to go on
 * into it. Throws TreeTooLarge: recursion in the readers is bounded by this walk.
 */
export function walkTree(tree: Tree, visit: (name: string, content: JsonObject) => boolean): void {
  let nodes = 0;
  const walk = (node: Tree, depth: number): void => {
    nodes += 1;
    if (nodes > TREE_NODES_MAX || depth > TREE_DEPTH_MAX) throw new TreeTooLarge();
    if (Array.isArray(node)) {
      for (const item of node as readonly JsonValue[]) walk(item, depth + 1);
    } else if (isJsonObject(node)) {
      for (const [name, content] of Object.entries(node)) {
        if (!isJsonObject(content) || visit(name, content)) walk(content, depth + 1);
      }
    }
  };
  walk(tree, 0);
}
