// SPDX-License-Identifier: Apache-2.0
import { parseRecord } from '@clyra/core/canonical/record';
import { readTopic } from '@clyra/testing/read-topic';
import type { FaultWorld } from '../faults/world/fault-world.ts';

/** How often each code was counted on clyra.edge: refusals of nobody in particular. */
export async function readEdgeCounts(world: FaultWorld): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const { value } of (await readTopic(world.log, world.topics.edge)).flat()) {
    const { body } = await world.codec.decode('EdgeEnvelope', value ?? new Uint8Array());
    const { code, count } = parseRecord(body) as { code: string; count: number };
    counts[code] = (counts[code] ?? 0) + count;
  }
  return counts;
}
