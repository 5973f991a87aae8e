// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import type { EnvelopeName } from '@clyra/core/ports/envelope-codec';
import { readTopic } from '@clyra/testing/read-topic';
import type { FaultWorld } from './fault-world.ts';

/** One body as it stands in a topic. `position` is `partition/offset` of the change that it is about. */
export type Stated = { readonly body: JsonObject; readonly appendTimeMs: number; readonly position: string };

export type LogFacts = {
  readonly changes: readonly Stated[];
  /** The first receipt of each position: the effective one. */
  readonly receipts: readonly Stated[];
  readonly duplicateCount: number;
};

/** The two topics as they stand now, read past every proxy. */
export async function readLogFacts(world: FaultWorld): Promise<LogFacts> {
  const [changes, all] = await Promise.all([
    readBodies(world, world.topics.changes, 'ChangeEnvelope'),
    readBodies(world, world.topics.receipts, 'ReceiptEnvelope'),
  ]);
  const first = new Map<string, Stated>();
  for (const receipt of all) if (!first.has(receipt.position)) first.set(receipt.position, receipt);
  return { changes, receipts: [...first.values()], duplicateCount: all.length - first.size };
}

async function readBodies(
  world: FaultWorld,
  topic: string,
  name: Extract<EnvelopeName, 'ChangeEnvelope' | 'ReceiptEnvelope'>,
): Promise<Stated[]> {
  const stated: Stated[] = [];
  for (const record of (await readTopic(world.log, topic)).flat()) {
    const envelope = await world.codec.decode(name, record.value ?? new Uint8Array());
    const offset = 'offset' in envelope ? envelope.offset : record.offset;
    const position = `${record.partition}/${offset}`;
    stated.push({ body: parseRecord(envelope.body), appendTimeMs: record.appendTimeMs, position });
  }
  return stated;
}
