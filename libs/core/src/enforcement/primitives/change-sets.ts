// SPDX-License-Identifier: Apache-2.0
import type { ChangeSetFact } from '../../change/change-set-fact.ts';
import type { Effects } from '../../policy/policy.ts';
import { block, NOTHING, type Primitive } from '../primitive.ts';

const RULE = 'change_sets';

/** A change set may do, all its members together, what the route's effects say, and no more. */
export const changeSets: Primitive = {
  name: 'change_sets',
  evaluate({ route, facts }) {
    const effects = route?.effects;
    if (effects?.members === undefined) return NOTHING;
    const set = facts.change_set;
    if (set === undefined) return { reasons: [block(RULE, 'CLY_CHANGE_SET_MISSING')] };
    if (set.verdict !== 'ok') return { reasons: [block(RULE, set.verdict)] };
    const excess = excessOf(set, effects);
    return excess === undefined ? NOTHING : { reasons: [block(RULE, 'CLY_CHANGE_SET_BEYOND', excess)] };
  },
};

/** The first member that goes beyond, and in what. */
function excessOf({ members }: ChangeSetFact, effects: Effects): string | undefined {
  if (new Set(members.map(({ token_hash }) => token_hash)).size !== members.length) return 'a token stands twice';
  let rowsLeft = effects.rows_max;
  for (const [index, { source_id, relations, operations, rows_max }] of members.entries()) {
    if (source_id !== effects.source_id) return `member ${index}: source`;
    if (!relations.every((name) => effects.relations.includes(name))) return `member ${index}: relation`;
    if (!operations.every((name) => effects.operations.includes(name))) return `member ${index}: operation`;
    // Taken off one by one: a sum of hostile numbers could leave the safe integers.
    if (rows_max > rowsLeft) return `member ${index}: rows`;
    rowsLeft -= rows_max;
  }
  return undefined;
}
