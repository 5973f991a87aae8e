// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { digestOf } from '@clyra/core/canonical/digest';
import { WORLD_TABLE } from '../world/world-policy.ts';
import type { Committed } from './committed.ts';

export type Match = { readonly status: unknown; readonly reason: unknown; readonly token_hash: unknown };

/** What the journal of a bundle says of each observation. */
export async function matchesIn(directory: string): Promise<ReadonlyMap<string, Match>> {
  const matches = new Map<string, Match>();
  for await (const line of createInterface({ input: createReadStream(join(directory, 'journal.jsonl')) })) {
    const { kind, observation_id, status, reason, token_hash } = JSON.parse(line) as Record<string, unknown>;
    if (kind === 'matched') matches.set(String(observation_id), { status, reason, token_hash });
  }
  return matches;
}

/** What reconciliation must say, from the tokens that the upstream was given and nothing else. */
export function expectedCounts(
  transactions: readonly Committed[],
  tokens: readonly string[],
): Readonly<Record<string, number>> {
  const granted = new Set(tokens.map((token) => digestOf(token)));
  const used = new Set<string>();
  const counts = { matched: 0, exceeded: 0, reused: 0, unattributed: 0, claimed_unproved: 0 };
  for (const { relations, tokenHashes } of transactions) {
    const [token] = tokenHashes;
    if (!relations.some((relation) => relation.startsWith(`${WORLD_TABLE} `))) continue;
    if (token === undefined) counts.unattributed += 1;
    else if (!granted.has(token)) counts.claimed_unproved += 1;
    else counts[used.has(token) ? 'reused' : 'matched'] += 1;
    if (token !== undefined) used.add(token);
  }
  return counts;
}
