// SPDX-License-Identifier: Apache-2.0
import type { GuardedSource } from '../policy/policy.ts';
import { type RelationEffect, relationName } from './ledger-entry.ts';

/** A recorder lists so many relations and adds the rest up under this name: nobody can say that it touched nothing guarded. */
const UNLISTED = '*.*';

/**
 * The relations that a policy in force at any time since the last cut guards (docs/spec/journal.md §4): one that is
 * activated later does not reach back, and one that was replaced still counts until the next cut.
 */
export class GuardedSet {
  readonly #relations = new Map<string, Set<string>>();

  constructor(sources: readonly GuardedSource[] = []) {
    this.add(sources);
  }

  add(sources: readonly GuardedSource[]): void {
    for (const { source_id: sourceId, relations } of sources) {
      const known = this.#relations.get(sourceId) ?? new Set();
      this.#relations.set(sourceId, known);
      for (const relation of relations) known.add(relation);
    }
  }

  /** What of a transaction's relations is guarded. */
  touched<Relation extends RelationEffect>(sourceId: string, relations: readonly Relation[]): readonly Relation[] {
    const guarded = this.#relations.get(sourceId);
    if (guarded === undefined || guarded.size === 0) return [];
    return relations.filter((relation) => {
      const name = relationName(relation);
      return guarded.has(name) || name === UNLISTED;
    });
  }
}

export type GuardedRelation = { readonly source_id: string; readonly relation: string };

/** A policy's guarded relations as the ledger lists them: each once, ascending. */
export function guardedRelations(sources: readonly GuardedSource[]): readonly GuardedRelation[] {
  const united = new Map<string, Set<string>>();
  for (const { source_id: sourceId, relations } of sources) {
    united.set(sourceId, new Set([...(united.get(sourceId) ?? []), ...relations]));
  }
  return [...united.keys()]
    .sort()
    .flatMap((sourceId) =>
      [...(united.get(sourceId) ?? [])].sort().map((relation) => ({ source_id: sourceId, relation })),
    );
}

/** The other way round, for what reads a ledger. */
export function guardedSources(relations: readonly GuardedRelation[]): readonly GuardedSource[] {
  const bySource = new Map<string, string[]>();
  for (const { source_id: sourceId, relation } of relations) {
    bySource.set(sourceId, [...(bySource.get(sourceId) ?? []), relation]);
  }
  return [...bySource].map(([source_id, names]) => ({ source_id, relations: names }));
}
