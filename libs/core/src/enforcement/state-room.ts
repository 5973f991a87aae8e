// SPDX-License-Identifier: Apache-2.0
import { KEY_COUNT_MAX } from './limits.ts';
import { namespaceOf, type StateOp, type StateView } from './state-table.ts';

const KEYS_MAX: ReadonlyMap<string, number> = new Map(Object.entries(KEY_COUNT_MAX));

/**
 * The first namespace in which these ops need a key that there is no room for. Only what needs it is refused: a full
 * namespace does not stop requests that use its known keys, or none of it.
 */
export function fullNamespace(state: StateView, ops: readonly StateOp[]): string | undefined {
  if (hasAmpleRoom(state, ops)) return undefined;
  const added = newKeys(state, ops);
  return [...added.keys()].find((namespace) => lacksRoom(state, namespace, added.get(namespace)?.size ?? 0));
}

/** Without what there is no room for: a refused request must not make a bounded state grow beyond its bound. */
export function withinRoom(state: StateView, ops: readonly StateOp[]): readonly StateOp[] {
  if (hasAmpleRoom(state, ops)) return ops;
  const added = newKeys(state, ops);
  const full = new Set(
    [...added].filter(([namespace, keys]) => lacksRoom(state, namespace, keys.size)).map(([name]) => name),
  );
  if (full.size === 0) return ops;
  return ops.filter(({ op, key }) => op === 'delete' || !full.has(namespaceOf(key)) || state.get(key) !== undefined);
}

/** Whether there is room even if every op needed another key in its namespace: which are new need not be known then. */
function hasAmpleRoom(state: StateView, ops: readonly StateOp[]): boolean {
  return ops.every(({ op, key }) => op === 'delete' || !lacksRoom(state, namespaceOf(key), ops.length));
}

function newKeys(state: StateView, ops: readonly StateOp[]): Map<string, Set<string>> {
  const added = new Map<string, Set<string>>();
  for (const { op, key } of ops) {
    if (op === 'delete' || state.get(key) !== undefined) continue;
    const namespace = namespaceOf(key);
    const keys = added.get(namespace);
    if (keys === undefined) added.set(namespace, new Set([key]));
    else keys.add(key);
  }
  return added;
}

function lacksRoom(state: StateView, namespace: string, addedCount: number): boolean {
  return state.count(namespace) + addedCount > (KEYS_MAX.get(namespace) ?? 0);
}
