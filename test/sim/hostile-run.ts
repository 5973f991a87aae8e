// SPDX-License-Identifier: Apache-2.0
// Runs as a thread of its own: in the test runner's context each name of the language is looked up in a sandbox, and
// everything takes twice as long, which at ten million changes is an hour.

import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { KEY_COUNT_MAX } from '@clyra/core/enforcement/limits';
import { HostileTenant } from './hostile-changes.ts';

export type HostilePlan = { readonly seed: number; readonly changes: number };

export type HostileEnd = {
  readonly changes: number;
  readonly decisions: ReadonlyMap<string, number>;
  /** The most keys that each namespace has had. */
  readonly most: ReadonlyMap<string, number>;
  /** The first that had more keys than it may have, after so many changes; the run ends there. */
  readonly beyond: { readonly namespace: string; readonly keys: number; readonly changes: number } | null;
  readonly heapBytes: number;
};

const TEN_MINUTES_MS = 600_000;
const PHASES = 10;
/** The namespaces without a cap hold single facts. */
const SINGLES_MAX = 10;

async function run({ seed, changes }: HostilePlan): Promise<HostileEnd> {
  const tenant = await HostileTenant.open(seed);
  const most = new Map<string, number>();
  let beyond: HostileEnd['beyond'] = null;
  let phaseBefore = 0;
  while (tenant.changes < changes && beyond === null) {
    await tenant.send();
    // A third of the time stands still, so that nothing can be forgotten; then a night goes by.
    const phase = Math.floor((tenant.changes * PHASES) / changes);
    tenant.wait(phase % 3 === 0 ? 0 : 10);
    if (phase > phaseBefore) {
      phaseBefore = phase;
      if (phase % 3 === 0) tenant.wait(TEN_MINUTES_MS);
    }
    for (const [namespace, keys] of tenant.sizes()) {
      most.set(namespace, Math.max(keys, most.get(namespace) ?? 0));
      if (keys > (KEY_COUNT_MAX[namespace] ?? SINGLES_MAX)) beyond ??= { namespace, keys, changes: tenant.changes };
    }
  }
  const { heapUsed } = process.memoryUsage();
  return { changes: tenant.changes, decisions: tenant.decisions, most, beyond, heapBytes: heapUsed };
}

parentPort?.postMessage(await run(workerData as HostilePlan));
