// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from '@jest/globals';
import type { HostileEnd, HostilePlan } from './hostile-run.ts';

/** `make test-long` sets it to ten million. */
const CHANGES = Number(process.env['CLYRA_STATE_CHANGES'] ?? 20_000);
const THREAD = fileURLToPath(new URL('./hostile-run.ts', import.meta.url));
/** A state at all its caps takes some gigabytes. */
const HEAP_MB_MAX = 6_144;

async function hostileRun(plan: HostilePlan): Promise<HostileEnd> {
  const thread = new Worker(THREAD, {
    workerData: plan,
    execArgv: ['--conditions=@clyra/source'],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB_MAX },
  });
  // What goes wrong in the thread is an event `error` and rejects.
  const [end] = (await once(thread, 'message')) as [HostileEnd];
  await thread.terminate();
  return end;
}

describe('the state of one tenant', () => {
  it(`stays under its caps over ${CHANGES} hostile changes`, async () => {
    const { changes, decisions, most, beyond, heapBytes } = await hostileRun({ seed: 20_261_128, changes: CHANGES });
    const kept = [...most].sort().map(([name, count]) => `${name} ${count}`);
    process.stdout.write(
      `${changes} changes (${[...decisions].map(([what, count]) => `${what} ${count}`).join(', ')}); most keys: ${kept.join(', ')}; heap ${Math.round(heapBytes / 1e6)} MB\n`,
    );
    expect(beyond).toBeNull();
    expect(changes).toBeGreaterThanOrEqual(CHANGES);
    for (const decision of ['allow', 'hold', 'returned']) expect(decisions.get(decision)).toBeGreaterThan(100);
  });
});
