// SPDX-License-Identifier: Apache-2.0
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { digestOf } from '@clyra/core/canonical/digest';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import type { FaultWorld } from '../world/fault-world.ts';
import { WORLD_TABLE, WORLD_TENANT } from '../world/world-policy.ts';
import type { Committed } from './committed.ts';

const POLICY_FILE = new URL('../../../packs/verification/quickstart.json', import.meta.url).pathname;

export type Match = { readonly status: unknown; readonly reason: unknown; readonly token_hash: unknown };

export type Sealed = {
  readonly bundleCount: number;
  /** What the verifier could not accept, of all bundles. */
  readonly failures: readonly unknown[];
  /** Findings of all bundles together. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the journals say of each observation. */
  readonly matches: ReadonlyMap<string, Match>;
};

/** Verifies every bundle of the world's tenant, oldest first. */
export async function verifyAll({ parts: { local } }: FaultWorld): Promise<Sealed> {
  const { blobDir, trustRootFile } = local.layout;
  const folder = join(blobDir, 'bundles', WORLD_TENANT);
  const names = (await readdir(folder)).sort();
  const counts: Record<string, number> = {};
  const failures: unknown[] = [];
  const matches = new Map<string, Match>();
  for (const name of names) {
    const directory = join(folder, name);
    const report = await verifyBundle({ directory, trustRootFile, policyFile: POLICY_FILE, mode: 'full' });
    failures.push(...report.failures);
    for (const [status, count] of Object.entries(report.findings?.counts ?? {}))
      counts[status] = (counts[status] ?? 0) + count;
    await addMatches(directory, matches);
  }
  return { bundleCount: names.length, failures, counts, matches };
}

async function addMatches(directory: string, matches: Map<string, Match>): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(join(directory, 'journal.jsonl')) })) {
    const { kind, observation_id, status, reason, token_hash } = JSON.parse(line) as Record<string, unknown>;
    if (kind === 'matched') matches.set(String(observation_id), { status, reason, token_hash });
  }
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
