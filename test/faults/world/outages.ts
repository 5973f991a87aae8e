// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { type OutageBody, parseObservation } from '@clyra/core/evidence/observation-body';
import { readTopic } from '@clyra/testing/read-topic';
import type { FaultWorld } from './fault-world.ts';

const DEADLINE_MS = 30_000;

/** What intakes have written down of outages that they noticed at or after this moment; waits for the first. */
export async function outagesSince(world: FaultWorld, momentMs: number): Promise<readonly OutageBody[]> {
  for (const endMs = performance.now() + DEADLINE_MS; ; ) {
    const records = (await readTopic(world.log, world.topics.observations)).flat();
    const outages = records.flatMap(({ value }) => {
      const body = parseObservation(world.codec.decode('ObservationEnvelope', value ?? new Uint8Array()).body);
      return body.kind === 'outage' && body.detected_at >= momentMs ? body : [];
    });
    if (outages.length > 0 || performance.now() > endMs) return outages;
    await pause(500);
  }
}
