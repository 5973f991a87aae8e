// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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

export type CoverageVerdict = { readonly exitCode: number; readonly claim: unknown };

/**
 * What the verifiers in TypeScript and Go say of a bundle's coverage to somebody who requires that claim: as their
 * exit codes, and as the first one's words.
 */
export async function coverageOf(
  { parts: { local, folder } }: FaultWorld,
  location: string,
): Promise<CoverageVerdict[]> {
  const { blobDir, trustRootFile } = local.layout;
  const directory = join(blobDir, location);
  const policyFile = join(folder, 'coverage-policy.json');
  const policy = JSON.parse(await readFile(POLICY_FILE, 'utf8')) as { readonly require: readonly string[] };
  await writeFile(policyFile, JSON.stringify({ ...policy, require: [...policy.require, 'coverage'] }));
  const report = await verifyBundle({ directory, trustRootFile, policyFile, mode: 'full' });
  const program = join(folder, 'clyra-verify');
  const build = ['build', '-o', program, './cmd/clyra-verify'];
  await promisify(execFile)('go', build, { cwd: fileURLToPath(new URL('../../../verifiers/go', import.meta.url)) });
  const args = ['verify', '--trust-root', trustRootFile, '--policy', policyFile, '--mode', 'full', '--json', directory];
  const go = await promisify(execFile)(program, args).catch((error: Refused) => error);
  const goReport = JSON.parse(go.stdout) as { readonly claims: readonly Claim[] };
  return [
    { exitCode: report.exitCode, claim: coverageClaim(report.claims) },
    { exitCode: 'code' in go ? go.code : 0, claim: coverageClaim(goReport.claims) },
  ];
}

type Refused = { readonly stdout: string; readonly code: number };
type Claim = { readonly id: string; readonly status: string; readonly code?: string | null };

function coverageClaim(claims: readonly Claim[]): unknown {
  const claim = claims.find(({ id }) => id === 'coverage');
  return { status: claim?.status, code: claim?.code };
}

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
