// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { readTopic } from '@clyra/testing/read-topic';
import type { FaultWorld } from '../world/fault-world.ts';

export type JournalFacts = {
  /** Source positions. */
  readonly lineCount: number;
  /** Records that say again what stood there. */
  readonly duplicateCount: number;
  /** Source positions with two different lines, and ranges with two different manifests: there must be none. */
  readonly forks: readonly string[];
  readonly bundleCount: number;
  readonly announcementCount: number;
};

/** The raw journal and the announcements of bundles, as all bundlers together wrote them. */
export async function readJournalFacts(world: FaultWorld): Promise<JournalFacts> {
  const lines = new Seen();
  for (const { value } of (await readTopic(world.log, world.topics.journal)).flat()) {
    const envelope = await world.codec.decode('JournalEnvelope', value ?? new Uint8Array());
    const { source_topic: topic, source_partition: partition, source_offset: offset, line } = envelope;
    lines.add(`${topic}/${partition}/${offset}`, digestOf(line));
  }
  const bundles = new Seen();
  for (const { value } of (await readTopic(world.log, world.topics.bundles)).flat()) {
    const envelope = await world.codec.decode('BundleEnvelope', value ?? new Uint8Array());
    bundles.add(`${envelope.origin} from ${envelope.range_start}`, `${envelope.range_end} ${envelope.manifest_digest}`);
  }
  return {
    lineCount: lines.size,
    duplicateCount: lines.repeatedCount,
    forks: [...lines.forks, ...bundles.forks],
    bundleCount: bundles.size,
    announcementCount: bundles.size + bundles.repeatedCount,
  };
}

class Seen {
  readonly forks: string[] = [];
  repeatedCount = 0;
  readonly #contents = new Map<string, string>();

  get size(): number {
    return this.#contents.size;
  }

  add(name: string, content: string): void {
    const known = this.#contents.get(name);
    if (known === undefined) this.#contents.set(name, content);
    else if (known === content) this.repeatedCount += 1;
    else this.forks.push(name);
  }
}
