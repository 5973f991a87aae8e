// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { KEY_COUNT_MAX } from '@clyra/core/enforcement/limits';
import { describe, expect, it } from '@jest/globals';
import { HostileTenant } from './hostile-changes.ts';

/** `make test-long` sets it to ten million. */
const CHANGES = Number(process.env['CLYRA_STATE_CHANGES'] ?? 20_000);
const TEN_MINUTES_MS = 600_000;
const REPORTS = 10;

describe('the state of one tenant', () => {
  it(`stays under its caps over ${CHANGES} hostile changes`, async () => {
    const tenant = await HostileTenant.open(20_261_128);
    const most = new Map<string, number>();
    let reported = 0;
    while (tenant.changes < CHANGES) {
      await tenant.send();
      // A third of the time stands still, so that nothing can be forgotten; then a night goes by.
      const phase = Math.floor((tenant.changes * REPORTS) / CHANGES);
      tenant.wait(phase % 3 === 0 ? 0 : 10);
      if (phase > reported) {
        reported = phase;
        if (phase % 3 === 0) tenant.wait(TEN_MINUTES_MS);
      }
      for (const [name, count] of tenant.sizes()) {
        most.set(name, Math.max(count, most.get(name) ?? 0));
        expect([name, count <= (KEY_COUNT_MAX[name] ?? 10)]).toEqual([name, true]);
      }
    }
    const kept = [...most].sort().map(([name, count]) => `${name} ${count}`);
    process.stdout.write(
      `${tenant.changes} changes (${[...tenant.decisions].map(([what, count]) => `${what} ${count}`).join(', ')}); most keys: ${kept.join(', ')}; heap ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB\n`,
    );
    for (const decision of ['allow', 'hold', 'returned']) expect(tenant.decisions.get(decision)).toBeGreaterThan(100);
  });
});
